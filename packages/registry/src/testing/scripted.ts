import type { Fault, FaultPlan } from './fault.ts';

/** One line of a script: which requests, and what goes wrong with them. */
export interface ScriptedFault {
  /** Default: any. */
  readonly method?: string;
  /** What path and query contain or match. Default: any. */
  readonly path?: string | RegExp;
  /** How many matching requests pass before. Default 0. */
  readonly skip?: number;
  /** How many matching requests it happens to. Default 1. */
  readonly times?: number;
  readonly fault: Fault;
}

/** A plan from a script: of the lines that match a request, the first that is not used up applies. */
export function scripted(lines: readonly ScriptedFault[]): FaultPlan {
  const seen = new Map<ScriptedFault, number>();
  return ({ method, path }) => {
    for (const line of lines) {
      const { skip = 0, times = 1 } = line;
      if (line.method !== undefined && line.method !== method) continue;
      if (typeof line.path === 'string' && !path.includes(line.path)) continue;
      if (line.path instanceof RegExp && path.search(line.path) < 0) continue;
      const before = seen.get(line) ?? 0;
      if (before >= skip + times) continue;
      seen.set(line, before + 1);
      if (before >= skip) return line.fault;
    }
    return undefined;
  };
}

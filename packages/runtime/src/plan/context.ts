import type { NamespaceType } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { slotLimit } from './format.ts';
import type { PlanInput, ProcessInput } from './input.ts';

/** What the plan of any process is made with. */
export interface ProcessContext {
  readonly input: ProcessInput;
  /** Namespaces that the container gets for itself. */
  readonly created: ReadonlySet<NamespaceType>;
  /** Namespaces that exist: their types and paths. */
  readonly joined: ReadonlyMap<NamespaceType, string>;
}

/** What the parts of a container's plan share while it is compiled. */
export interface PlanContext extends ProcessContext {
  readonly input: PlanInput;
  /** The number of a place for an open mount or namespace. */
  slot(): number;
}

/** An error of a configuration that contradicts itself or the kernel. */
export function conflict(jsonPath: string, reason: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_CONFLICT', `config.json: ${jsonPath} ${reason}`, { jsonPath });
}

/** Sorts a container's namespaces. Throws ERR_OCI_SPEC_CONFLICT when one is given twice. */
export function processContext<Input extends ProcessInput>(
  input: Input,
): ProcessContext & { readonly input: Input } {
  const created = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, string>();
  for (const { type, path } of input.spec.linux?.namespaces ?? []) {
    if (created.has(type) || joined.has(type)) throw conflict('$.linux.namespaces', `has ${type} twice`);
    if (path) joined.set(type, path);
    else created.add(type);
  }
  return { input, created, joined };
}

/** Starts the compilation of a container's plan. Throws ERR_OCI_SPEC_CONFLICT when a namespace is given twice. */
export function planContext(input: PlanInput): PlanContext {
  let slots = 0;
  const slot = (): number => {
    if (slots === slotLimit) throw conflict('$.mounts', `has more than ${slotLimit} entries`);
    slots += 1;
    return slots - 1;
  };
  return { ...processContext(input), slot };
}

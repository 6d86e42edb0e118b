import { readFileSync } from 'node:fs';

/** Who a process is: an id is given again after its process ended, the pair with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the host started: field 22 of `/proc/PID/stat`. */
  readonly startTime: number;
}

/** What `/proc/PID/stat` says of a process. */
export interface ProcessStat extends ProcessIdentity {
  /** One letter: `R`, `S`, `D`, `T`, `t`, `Z` (ended, not yet waited for), `X`. */
  readonly state: string;
  readonly parent: number;
}

/** Parses the text of `/proc/PID/stat`; the command in it may hold any character, also `)` and newlines. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const startTime = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || fields[19] === undefined || Number.isNaN(startTime)) {
    return undefined;
  }
  return { pid, state, parent: Number(parent), startTime };
}

/** What the kernel knows of a process, or undefined when there is none of this id. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Reads the identity of a process that is known to be there; undefined when it ended already. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

/** True while the process has not ended; an ended one that nobody waited for does not count. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readProcessStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && !'ZXx'.includes(stat.state);
}

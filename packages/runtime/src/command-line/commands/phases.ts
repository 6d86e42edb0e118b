import { cpuMask } from '../../plan/affinity.ts';
import type { Log } from '../log.ts';

/** The steps of a creation, in the words in which runc's debug log has them: scripts look for these. */
export const phases = {
  setup: 'nsexec container setup',
  init: 'child process in init()',
  done: 'init: closing the pipe to signal completion',
  exec: 'setns_init: about to exec',
} as const;

/** Says that a container's process was made. */
export function logMade(log: Log): void {
  log.debug(phases.init);
  log.debug(phases.done);
}

/** Says with which flags a container's seccomp filter is loaded. */
export function logFilter(log: Log, flags: number): void {
  log.debug(`seccomp filter flags: ${flags}`);
}

/** Says on which processors a process starts, as a mask. */
export function logAffinity(log: Log, processors: string | undefined): void {
  if (!processors) return;
  const mask = cpuMask(processors, '$.process.execCPUAffinity.initial');
  const digits = Buffer.from(mask).reverse().toString('hex').replace(/^0+/, '');
  log.debug(`nsexec: affinity: 0x${digits}`);
}

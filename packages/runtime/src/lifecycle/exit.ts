import { readExitFile } from '../init/exit-file.ts';
import type { InitExit } from '../init/types.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';

/** How a container's first process ended: its code, or 128 and the number of the signal that ended it. */
export type ExitStatus = InitExit;

/**
 * How a container that `launch` made has ended; undefined while it runs, and for containers whose end only
 * their parent process was told. Throws ERR_OCI_CONTAINER_NOT_FOUND.
 */
export function exitStatus(id: string, options: LifecycleOptions = {}): ExitStatus | undefined {
  const { exitFile } = requireRecord(stateRoot(options), id);
  return exitFile === undefined ? undefined : readExitFile(exitFile);
}

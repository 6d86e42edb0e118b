import { isSystemCallError } from './errors.ts';
import { check, declare } from './library.ts';

const unshareFunction = declare('int unshare(int flags)');
const umaskFunction = declare('unsigned int umask(unsigned int mask)');
const cloneFs = 0x200;

let taken: number | undefined;

/**
 * Gives the calling thread a umask (and a working directory) of its own, so that the rest of the process keeps its one
 * (unshare(2), CLONE_FS). Returns false where that is forbidden, as in containers with Docker's seccomp profile.
 * For worker threads: a main thread would no longer share them with the threads that `node:fs` works in.
 */
export function takeUmask(mask: number): boolean {
  try {
    check(unshareFunction(cloneFs), { syscall: 'unshare' });
  } catch (error) {
    if (isSystemCallError(error, 'EPERM', 'EACCES', 'ENOSYS', 'ENOMEM')) return false;
    throw error;
  }
  umaskFunction(mask);
  taken = mask;
  return true;
}

/** The umask that this thread took for itself; undefined when it has the process's, which may change at any time. */
export function ownUmask(): number | undefined {
  return taken;
}

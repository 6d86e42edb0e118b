import { readFileSync } from 'node:fs';
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

/**
 * The umask of the calling thread, which the main thread may change at any time. Asking `process.umask()` would change it
 * for a moment. Undefined without /proc.
 */
export function currentUmask(): number | undefined {
  if (taken !== undefined) return taken;
  try {
    const found = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return found === undefined ? undefined : Number.parseInt(found, 8);
  } catch {
    return undefined;
  }
}

/** The umask that this thread took for itself; undefined when it has the process's, which may change at any time. */
export function ownUmask(): number | undefined {
  return taken;
}

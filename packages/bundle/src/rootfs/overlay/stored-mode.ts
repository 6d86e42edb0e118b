import * as linux from '@ocijs/linux';
import { hasErrno } from '../failure.ts';
import type { NamedEntry, RootfsOperations } from '../operations.ts';
import { modeAttribute, procPath, statusAt } from './marks.ts';
import { isDirectory } from './merged-directories.ts';

/**
 * Sets modes so that an ordinary user can always read its snapshot: permissions that would keep the owner out
 * are noted in an attribute, and the file gets more.
 */
export function storedMode(operations: RootfsOperations): RootfsOperations['setMode'] {
  return (target, mode) => {
    const status = 'fd' in target ? linux.fstat(target.fd) : statusAt(target.directory, target.name);
    const isDirectoryMode = status !== undefined && isDirectory(status);
    const needed = isDirectoryMode ? 0o700 : 0o400;
    if ((mode & needed) !== needed) {
      // Attributes can be set by whoever may write to the file.
      operations.setMode(target, isDirectoryMode ? 0o700 : 0o600);
      operations.setAttribute(target, modeAttribute, Buffer.from(mode.toString(8)));
    } else if (!('fd' in target)) {
      removeNote(operations, target);
    }
    operations.setMode(target, mode | needed);
  };
}

function removeNote(operations: RootfsOperations, target: NamedEntry): void {
  try {
    const note = linux.lgetxattr(procPath(target.directory, target.name), modeAttribute);
    if (note !== undefined) operations.removeAttribute(target, modeAttribute);
  } catch (error) {
    if (!hasErrno(error, 'ENOTSUP')) throw error;
  }
}

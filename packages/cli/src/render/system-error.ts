import { codeOf } from '../exit-codes.ts';

/** What the system's errors mean, and what helps; for those that no command has words of its own for. */
const meanings: Readonly<Record<string, readonly [meaning: string, hint: string]>> = {
  ENOSPC: ['no space left on the disk', 'free some space, or choose a directory on another disk'],
  EDQUOT: ['the disk quota is used up', 'free some space, or choose a directory on another disk'],
  EROFS: ['the file system is read-only', 'choose a directory that can be written'],
  EACCES: ['permission denied', 'choose a path that you may use, or ask as a user who may'],
  EPERM: ['not permitted', 'choose a path that you may use, or ask as a user who may'],
  ENOENT: ['no such file or directory', 'check the path; directories above it must be there'],
  ENOTDIR: ['a part of the path is no directory', 'check the path'],
  EISDIR: ['it is a directory', 'name a file'],
  EMFILE: ['too many open files', 'raise the limit: ulimit -n'],
};

/** Words for an error of the system: what is wrong, with the path first when there is one. */
export function describeSystemError(
  error: unknown,
): { readonly message: string; readonly hint: string } | undefined {
  const known = meanings[codeOf(error) ?? ''];
  if (known === undefined) return undefined;
  const [meaning, hint] = known;
  const path =
    error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  return { message: path === undefined ? meaning : `${path}: ${meaning}`, hint };
}

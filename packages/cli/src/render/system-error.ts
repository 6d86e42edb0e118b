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
  ENOTEMPTY: ['the directory is not empty', 'choose another directory'],
  EEXIST: ['it is there already', 'choose another name'],
  ELOOP: ['a symbolic link leads to itself', 'check the path'],
  EMFILE: ['too many open files', 'raise the limit: ulimit -n'],
};

/** What an error of the system means, for a message that names the object itself; its code when there are no words for it. */
export function systemMeaning(error: unknown): string {
  const code = codeOf(error) ?? 'unknown error';
  return meanings[code]?.[0] ?? code;
}

/** Words for an error of the system: what is wrong, with the path first when there is one. */
export function describeSystemError(
  error: unknown,
): { readonly message: string; readonly hint: string } | undefined {
  const known = meanings[codeOf(error) ?? ''];
  if (known === undefined) return undefined;
  const [meaning, hint] = known;
  const path =
    error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  // What is being made has a name of ours until it is complete.
  const shown = path?.replace(/\/\.[^/]+\.oci-\w+$/, '');
  if (shown !== path && codeOf(error) === 'ENOENT')
    return { message: `nothing can be made in ${shown}`, hint: 'check that it is there, and takes files' };
  return { message: shown === undefined ? meaning : `${shown}: ${meaning}`, hint };
}

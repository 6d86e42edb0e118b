import { ImageError, isOciError } from '../errors.ts';

/** The error code of a failed system call, such as `ENOENT`; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Runs a piece of work on the store's files and words what the file system says: ERR_OCI_STORE_DENIED,
 * ERR_OCI_STORE_FULL, else ERR_OCI_STORE_FAILED. Errors that are not of a system call pass unchanged.
 */
export async function inStore<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeFailure(error, directory);
  }
}

/** The error that a person should see for a failure inside the store `directory`. */
export function storeFailure(error: unknown, directory: string): unknown {
  const errno = errnoOf(error);
  if (isOciError(error) || errno === undefined) return error;
  const { path = directory, syscall = '' } = error as NodeJS.ErrnoException;
  const details = { cause: error, path, syscall, errno };
  if (errno === 'ENOENT' && syscall === 'mkdir')
    return new ImageError('ERR_OCI_STORE_DENIED', `no directory can be made for the store ${directory}`, {
      ...details,
      hint: 'choose a directory of your own with --store or OCI_STORE',
    });
  switch (errno) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ImageError('ERR_OCI_STORE_DENIED', `no permission to use the store ${directory}`, {
        ...details,
        hint: 'choose a directory of your own with --store or OCI_STORE',
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new ImageError('ERR_OCI_STORE_FULL', `no space left in the store ${directory}`, {
        ...details,
        hint: 'free some space, or choose another directory with --store or OCI_STORE; what was fetched is kept and resumed',
      });
    default:
      return new ImageError('ERR_OCI_STORE_FAILED', `the store ${directory} failed: ${syscall} ${errno}`, {
        ...details,
        hint: `look at ${path}`,
      });
  }
}

import { type ErrorDetails, ImageError, isOciError } from '../errors.ts';
import { errnoOf } from '../store/failure.ts';

/** An archive or directory that does not hold what its format wants. */
export function invalidArchive(location: string, problem: string, details: ErrorDetails = {}): ImageError {
  return new ImageError('ERR_OCI_ARCHIVE_INVALID', `${location} ${problem}`, { path: location, ...details });
}

/** Runs work on the file of an archive, and words what the file system says: ERR_OCI_ARCHIVE_FAILED. */
export async function onArchive<T>(location: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw archiveFailure(error, location);
  }
}

/** The error that a person should see for a failure of the file system. */
export function archiveFailure(error: unknown, location: string): unknown {
  const errno = errnoOf(error);
  if (isOciError(error) || errno === undefined) return error;
  const { path = location, syscall = '' } = error as NodeJS.ErrnoException;
  const details = { cause: error, path, syscall, errno };
  const missing = errno === 'ENOENT';
  if (errno === 'EISDIR')
    return new ImageError('ERR_OCI_ARCHIVE_FAILED', `${location} is a directory`, {
      ...details,
      hint: 'name a file',
    });
  return new ImageError(
    'ERR_OCI_ARCHIVE_FAILED',
    missing ? `${path} does not exist` : `${location} failed: ${syscall} ${errno}`,
    { ...details, hint: missing ? 'check the path' : `look at ${path}` },
  );
}

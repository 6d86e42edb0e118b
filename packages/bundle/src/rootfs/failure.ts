import { isOciError } from '@ocijs/image/errors';
import { BundleError } from '../errors.ts';

/** True for an error with one of these errno names as its code. */
export function hasErrno(
  error: unknown,
  ...codes: readonly string[]
): error is Error & { readonly code: string } {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** What the person can do about an errno, when it is not the layer's fault. */
const hints: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space on the target file system',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'raise the limit of open files',
  EIO: 'check the target disk',
};

/** A failed effect, told in terms of the entry that caused it. Errors of the toolchain stay as they are. */
export function entryFailure(
  error: unknown,
  { entry, rootless }: { readonly entry: string; readonly rootless: boolean },
): unknown {
  if (isOciError(error) || !(error instanceof Error)) return error;
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  if (error instanceof RangeError) return invalidEntry(entry, { reason: error.message, cause: error });
  const facts = { entry, errno: code, ...(syscall === undefined ? {} : { syscall }), cause: error };
  const name = JSON.stringify(entry);
  switch (code) {
    case 'EPERM':
    case 'EACCES':
    case 'EROFS':
      return new BundleError('ERR_OCI_UNPACK_DENIED', `not allowed to create entry ${name}`, {
        ...facts,
        hint: rootless
          ? 'check who owns the target directory, and whether its file system is writable'
          : 'unpack rootless, which keeps owners and devices out, or unpack as root',
      });
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'EMLINK':
      return invalidEntry(entry, { reason: code, cause: error });
    default:
      if (code === 'EINVAL' && syscall === 'fchownat')
        return invalidEntry(entry, {
          reason: 'nobody has the id of its owner in this user namespace',
          cause: error,
        });
      return new BundleError(
        'ERR_OCI_UNPACK_FAILED',
        `entry ${name} could not be created: ${error.message}`,
        {
          ...facts,
          ...(hints[code] === undefined ? {} : { hint: hints[code] }),
        },
      );
  }
}

function invalidEntry(
  entry: string,
  { reason, cause }: { readonly reason: string; readonly cause: Error },
): BundleError {
  const message = `entry ${JSON.stringify(entry)} cannot exist: ${reason}`;
  return new BundleError('ERR_OCI_LAYER_INVALID', message, { entry, cause });
}

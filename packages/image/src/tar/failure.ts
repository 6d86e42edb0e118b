import { type ErrorDetails, ImageError } from '../errors.ts';

/** An archive that cannot be understood. */
export function invalidTar(message: string, details?: ErrorDetails): ImageError {
  return new ImageError('ERR_OCI_TAR_INVALID', message, details);
}

/** An archive that asks for more than the limits allow. */
export function tarLimitExceeded(
  what: string,
  { limit, actual }: { readonly limit: number; readonly actual: number },
): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${what} takes ${actual} bytes, more than ${limit}`, {
    limit,
    actual,
  });
}

/** A name from an archive, fit to stand in a message. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

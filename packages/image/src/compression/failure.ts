import { type ErrorDetails, ImageError } from '../errors.ts';
import type { ReadableCompression } from './types.ts';

/** A compressed stream that is malformed, cut off, or followed by something else. */
export function invalidCompression(
  compression: ReadableCompression,
  what: string,
  details?: ErrorDetails,
): ImageError {
  return new ImageError('ERR_OCI_COMPRESSION_INVALID', `the ${compression} stream ${what}`, details);
}

/** Says what an engine's error means; errors that are no engine's are returned as they are. */
export function engineFailure(compression: ReadableCompression, error: unknown): unknown {
  if (!isEngineError(error)) return error;
  if (error.code === 'Z_BUF_ERROR') return invalidCompression(compression, 'is cut off', { cause: error });
  if (error.code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return windowTooLarge(error);
  }
  return invalidCompression(compression, `is damaged: ${error.message}`, { cause: error });
}

/** A zstd frame that wants more memory than it may have. */
export function windowTooLarge(cause?: unknown): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', 'the zstd stream needs a window of more than 128 MiB', {
    cause,
    limit: 128 * 1024 * 1024,
    hint: 'recompress it without --long or --ultra',
  });
}

function isEngineError(error: unknown): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return error.code.startsWith('Z_') || error.code.startsWith('ZSTD_') || error.code === 'ERR_ZSTD';
}

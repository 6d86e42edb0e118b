import { invalidCompression } from './failure.ts';
import type { Compression } from './types.ts';

/** Accepts the zeros that some writers pad with, and refuses anything else behind the end of a stream. */
export function requireZeros(bytes: Uint8Array, compression: Compression): void {
  if (!isZeros(bytes)) throw invalidCompression(compression, 'is followed by something else');
}

/** True when there is nothing but zeros. */
export function isZeros(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

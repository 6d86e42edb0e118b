import { open } from 'node:fs/promises';
import { BundleError } from './errors.ts';

/** Reads a file of at most `limit` bytes. Throws ERR_OCI_BUNDLE_INVALID for a longer one. */
export async function readLimitedFile(path: string, { limit }: { readonly limit: number }): Promise<Buffer> {
  await using file = await open(path, 'r');
  const buffer = Buffer.alloc(limit + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new BundleError('ERR_OCI_BUNDLE_INVALID', `${path} has more than ${limit} bytes`, { path, limit });
}

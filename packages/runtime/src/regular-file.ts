import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Why a file is not read, in words that follow its name. */
export class UnfitFile extends Error {}

const chunkSize = 64 * 1024;

/** Also of a file that grows while it is read. */
function readAtMost(fd: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkSize, limit + 1 - length));
    const count = readSync(fd, chunk);
    if (count === 0) return Buffer.concat(chunks, length);
    length += count;
    if (length > limit) throw new UnfitFile(`is larger than ${limit} bytes`);
    chunks.push(chunk.subarray(0, count));
  }
}

/**
 * Reads a regular file of at most `limit` bytes. Nothing else is waited for or read: neither a fifo nor a device, nor, unless
 * `followLink` says so, what a link leads to. Throws {@link UnfitFile} and errors of the file system.
 */
export function readRegularFile(
  path: string,
  { limit, followLink = false }: { readonly limit: number; readonly followLink?: boolean },
): Buffer {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLink ? 0 : constants.O_NOFOLLOW);
  const fd = openSync(path, flags);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new UnfitFile('is not a regular file');
    if (stats.size > limit) throw new UnfitFile(`is larger than ${limit} bytes`);
    return readAtMost(fd, limit);
  } finally {
    closeSync(fd);
  }
}

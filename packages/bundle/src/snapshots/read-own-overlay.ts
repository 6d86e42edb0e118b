import { fstatSync, readdirSync, readSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { close, constants } from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { openLayeredTree } from './layered-tree.ts';
import { lowerName } from './overlay-places.ts';

const { S_IFMT, S_IFREG } = constants;

/**
 * Reads a regular file of the root file system that `prepareOwnOverlay` has prepared in `directory`, also while its container
 * runs and changes it: this process sees no mount, but what is mounted. Links lead where a process in the container would get.
 * Undefined when there is no such file. Throws ERR_OCI_UNPACK_DENIED for what is no regular file or larger than `limit` bytes.
 */
export function readOwnOverlay(
  directory: string,
  path: string,
  { limit }: { readonly limit: number },
): Buffer | undefined {
  const place = join(directory, lowerName);
  const position = (name: string): number => Number.parseInt(name, 36);
  const names = readdirSync(place).sort((left, right) => position(left) - position(right));
  const lower = names.map((name) => realpathSync(join(place, name)));
  using tree = openLayeredTree([join(directory, 'overlay', 'upper'), ...lower], 'user');
  const { file } = tree.resolve(path, { followLast: true });
  if (file === undefined) return undefined;
  if ((file.status.mode & S_IFMT) !== S_IFREG) throw denied(path, 'is not a regular file');
  const fd = tree.open(file);
  try {
    if (!fstatSync(fd).isFile()) throw denied(path, 'is not a regular file');
    return readAll(fd, { path, limit });
  } finally {
    close(fd);
  }
}

function readAll(fd: number, { path, limit }: { readonly path: string; readonly limit: number }): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks, total);
    total += count;
    if (total > limit) throw denied(path, `is larger than ${limit} bytes`);
    chunks.push(chunk.subarray(0, count));
  }
}

function denied(path: string, reason: string): BundleError {
  return new BundleError('ERR_OCI_UNPACK_DENIED', `${path} of the root file system ${reason}`, {
    path,
    hint: 'The image is broken or hostile; do not use it as it is.',
  });
}

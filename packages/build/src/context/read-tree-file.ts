import { readSync } from 'node:fs';
import type { LayeredTree } from '@ocijs/bundle';
import { close } from '@ocijs/linux';
import { BuildError } from '../errors.ts';

/**
 * Reads a file of a tree; links are followed, but never out of it. `undefined` when there is no such file.
 *
 * @throws BuildError `ERR_OCI_BUILD_CONTEXT_INVALID` for more than `limit` bytes.
 */
export function readTreeFile(tree: LayeredTree, path: string, limit: number): Buffer | undefined {
  const { file } = tree.resolve(path, { followLast: true });
  if (file === undefined || (file.status.mode & 0o170000) !== 0o100000) return undefined;
  if (file.status.size > limit)
    throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `${path} is larger than ${limit} bytes`, {
      path,
      limit,
    });
  const fd = tree.open(file);
  try {
    const buffer = Buffer.alloc(file.status.size);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(fd, buffer, length, buffer.length - length, length);
      if (read === 0) break;
      length += read;
    }
    return buffer.subarray(0, length);
  } finally {
    close(fd);
  }
}

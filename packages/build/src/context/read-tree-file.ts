import { readSync } from 'node:fs';
import type { LayeredTree } from '@ocijs/bundle';
import { close } from '@ocijs/linux';
import { BuildError, type BuildErrorCode } from '../errors.ts';

export interface ReadTreeFileOptions {
  /** In bytes. */
  readonly limit: number;
  /** What a larger file means; by itself that the context is wrong. */
  readonly code?: BuildErrorCode;
}

/**
 * Reads a file of a tree; links are followed, but never out of it. `undefined` when there is no such file.
 *
 * @throws BuildError of `code` for more than `limit` bytes.
 */
export function readTreeFile(
  tree: LayeredTree,
  path: string,
  { limit, code = 'ERR_OCI_BUILD_CONTEXT_INVALID' }: ReadTreeFileOptions,
): Buffer | undefined {
  const { file } = tree.resolve(path, { followLast: true });
  if (file === undefined || (file.status.mode & 0o170000) !== 0o100000) return undefined;
  if (file.status.size > limit)
    throw new BuildError(code, `${path} is larger than ${limit} bytes`, {
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

import { readSync } from 'node:fs';
import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { close } from '@ocijs/linux';

/** The first bytes of a regular file, `length` at most. */
export function firstBytes(tree: LayeredTree, file: TreeFile, length: number): Buffer {
  const fd = tree.open(file);
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, 0));
  } finally {
    close(fd);
  }
}

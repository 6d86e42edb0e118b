import type { TarEntry } from '../tar/entry.ts';

/** The bytes of content that the layer holds of a file: the holes of a sparse one count nothing. */
export function storedSize({ type, size, sparse }: Pick<TarEntry, 'type' | 'size' | 'sparse'>): number {
  if (type !== 'file') return 0;
  return sparse === undefined ? size : sparse.reduce((sum, { length }) => sum + length, 0);
}

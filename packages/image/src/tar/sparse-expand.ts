import type { TarEntry } from './entry.ts';

const zeros: Uint8Array = new Uint8Array(64 * 1024);

/**
 * Turns the data segments of a sparse file into its whole content, the holes filled with zeros; the content
 * of other entries passes through. The chunks of zeros are shared: do not write into them.
 */
export async function* expandSparse(
  data: AsyncIterable<Uint8Array>,
  { sparse, size }: Pick<TarEntry, 'sparse' | 'size'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (sparse === undefined) {
    yield* data;
    return;
  }
  let position = 0;
  let index = 0;
  for await (const chunk of data) {
    let rest: Uint8Array = chunk;
    while (rest.length > 0) {
      const segment = sparse[index];
      if (segment === undefined) throw new TypeError('more data than the sparse map has room for');
      if (position < segment.offset) {
        yield* holes(segment.offset - position);
        position = segment.offset;
      }
      const length = Math.min(rest.length, segment.offset + segment.length - position);
      yield rest.subarray(0, length);
      rest = rest.subarray(length);
      position += length;
      if (position === segment.offset + segment.length) index++;
    }
  }
  yield* holes(size - position);
}

function* holes(length: number): Generator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; left -= zeros.length) {
    yield left < zeros.length ? zeros.subarray(0, left) : zeros;
  }
}

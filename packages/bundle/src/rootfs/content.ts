import type { TarEntry } from '@ocijs/image';
import type { RootfsOperations } from './operations.ts';

/** Writes the content of one file. */
export interface ContentWriter {
  write(chunk: Uint8Array): void;
  finish(): void;
}

/** Writes to an open, empty file; of a sparse one the data segments only, so that the rest are holes. */
export function createContentWriter(
  operations: RootfsOperations,
  fd: number,
  { sparse, size }: Pick<TarEntry, 'sparse' | 'size'>,
): ContentWriter {
  if (sparse === undefined) return { write: (chunk) => operations.write(fd, chunk), finish: () => undefined };
  let index = 0;
  let done = 0;
  function write(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0; ) {
      const segment = sparse?.[index];
      if (segment === undefined) throw new RangeError('the archive has more data than its sparse map');
      const part = rest.subarray(0, segment.length - done);
      operations.write(fd, part, segment.offset + done);
      rest = rest.subarray(part.length);
      done += part.length;
      if (done === segment.length) {
        index += 1;
        done = 0;
      }
    }
  }
  return { write, finish: () => operations.resize(fd, size) };
}

import type { TarEntry } from '../entry.ts';
import { createTarParser } from '../parser.ts';

/** An entry with its data as the parser delivered it: of a sparse file without the holes. */
export interface CollectedEntry {
  readonly header: TarEntry;
  readonly data: Buffer;
}

/** What a parser made of an archive, up to its first error. */
export interface CollectedArchive {
  readonly entries: readonly CollectedEntry[];
  readonly error: unknown;
}

/** Parses an archive that is pushed in chunks of one size. */
export function collectTar(archive: Uint8Array, chunkBytes: number = archive.length): CollectedArchive {
  const entries: CollectedEntry[] = [];
  let current: { readonly header: TarEntry; readonly chunks: Buffer[] } | undefined;
  const parser = createTarParser({
    entry: (header) => {
      if (current !== undefined) throw new TypeError('an entry begins inside of another');
      current = { header, chunks: [] };
    },
    data: (chunk) => {
      if (chunk.length === 0) throw new TypeError('an empty chunk');
      current?.chunks.push(Buffer.from(chunk));
    },
    end: () => {
      if (current === undefined) throw new TypeError('an entry ends that did not begin');
      entries.push({ header: current.header, data: Buffer.concat(current.chunks) });
      current = undefined;
    },
  });
  try {
    for (let position = 0; position < archive.length; position += chunkBytes) {
      parser.push(archive.subarray(position, position + chunkBytes));
    }
    parser.finish();
    return { entries, error: undefined };
  } catch (error) {
    return { entries, error };
  }
}

/** The content of a file with the holes filled. */
export function expandedContent({ header, data }: CollectedEntry): Buffer {
  if (header.sparse === undefined) return data;
  const content = Buffer.alloc(header.size);
  let position = 0;
  for (const { offset, length } of header.sparse) {
    data.copy(content, offset, position, position + length);
    position += length;
  }
  return content;
}

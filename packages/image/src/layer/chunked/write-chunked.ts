import type { Digest } from '../../digest/digest.ts';
import { encodeTarEntry, TAR_END, tarPadding } from '../../tar/encode-entry.ts';
import { bodyOf } from '../../tar/entry-body.ts';
import type { TarWriteEntry } from '../../tar/write-tar.ts';
import { createPieceQueue } from './piece-queue.ts';
import { chunkBytes, piecesOf } from './pieces.ts';
import { createTarSplit } from './tar-split.ts';
import type { TocEntry } from './toc.ts';
import { sha256, type TocFile, tocEntriesOf, tocMetadata, type WrittenChunk } from './toc-entry.ts';
import type { ChunkedTrailer, PieceFormat } from './trailer.ts';

/** What {@link writeChunked} works with. */
export interface WriteChunkedOptions {
  readonly format: PieceFormat;
  /** Gets the uncompressed archive. */
  readonly onTar: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a layer in pieces that can be read one by one: headers together, and each file, in chunks of 4 MiB, by itself;
 * then the table of contents. Yields the blob and returns the annotations that its descriptor needs.
 */
export async function* writeChunked(
  entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>,
  { format, onTar, signal }: WriteChunkedOptions,
): AsyncGenerator<Uint8Array, Readonly<Record<string, string>>, undefined> {
  const queue = createPieceQueue(format.codec);
  const files: TocFile[] = [];
  const split = createTarSplit();
  /** Headers and padding since the last content. */
  let between: Uint8Array[] = [];
  const segment = (bytes: Uint8Array): void => {
    onTar(bytes);
    split.segment(bytes);
    between.push(bytes);
  };
  const endSegment = (): void => {
    if (between.length > 0) queue.add(Buffer.concat(between));
    between = [];
  };

  async function* writeEntry({ header, body }: TarWriteEntry): AsyncGenerator<Uint8Array> {
    const { entry, blocks } = encodeTarEntry(header, body instanceof Uint8Array ? body.length : undefined);
    segment(blocks);
    const metadata = tocMetadata(header, entry);
    split.file(metadata.name);
    const chunks: WrittenChunk[] = [];
    const whole = sha256();
    const file: TocFile & { digest: Digest | undefined } = { metadata, chunks, digest: undefined, end: 0 };
    files.push(file);
    let position = 0;
    for await (const piece of piecesOf(bodyOf(entry, { body, label: header.name }), chunkBytes)) {
      signal?.throwIfAborted();
      endSegment();
      onTar(piece);
      split.content(piece);
      whole.update(piece);
      const chunkDigest = `sha256:${sha256().update(piece).digest('hex')}` as Digest;
      const chunk: WrittenChunk = {
        offset: 0,
        chunkOffset: position,
        chunkSize: piece.length,
        chunkDigest,
      };
      chunks.push(chunk);
      queue.add(piece, ({ offset, end }) => {
        chunk.offset = offset;
        file.end = end;
      });
      position += piece.length;
      yield* queue.take();
    }
    if (position > 0) file.digest = `sha256:${whole.digest('hex')}` as Digest;
    const padding = tarPadding(entry.size);
    if (padding > 0) segment(TAR_END.subarray(0, padding));
  }

  try {
    for (const entry of format.firstEntries) yield* writeEntry(entry);
    for await (const entry of entries) {
      signal?.throwIfAborted();
      yield* writeEntry(entry);
    }
    if (!format.tocInArchive) segment(TAR_END);
    endSegment();
    yield* queue.take({ all: true });
    const toc: TocEntry[] = files.flatMap((file) => tocEntriesOf(file, format.withEnds));
    const trailer: ChunkedTrailer = await format.finish({ entries: toc, offset: queue.offset, split, onTar });
    yield* trailer.bytes;
    return trailer.annotations;
  } finally {
    await queue.settle();
  }
}

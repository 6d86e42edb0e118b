import { digestBytes } from '../../digest/hasher.ts';
import { encodeJson } from '../../json/encode.ts';
import { encodeTarEntry, TAR_END, tarPadding } from '../../tar/encode-entry.ts';
import type { TarWriteEntry } from '../../tar/write-tar.ts';
import { gzipPieces, type PieceCodec, skippableFrame, zstdPieces } from './codecs.ts';
import type { TarSplit } from './tar-split.ts';
import { NO_PREFETCH, TOC_NAME, type Toc, type TocEntry, tocAnnotations } from './toc.ts';

/** What comes behind the files. */
export interface ChunkedTrailer {
  readonly bytes: readonly Uint8Array[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is known when the files are written. */
export interface TrailerInput {
  readonly entries: readonly TocEntry[];
  /** Where the trailer begins in the blob. */
  readonly offset: number;
  readonly split: TarSplit;
  readonly onTar: (bytes: Uint8Array) => void;
}

/** What differs between eStargz and zstd:chunked. */
export interface PieceFormat {
  readonly codec: PieceCodec;
  /** Entries that the format wants to have in front. */
  readonly firstEntries: readonly TarWriteEntry[];
  /** The table is an entry of the archive, so that the archive ends behind it. */
  readonly tocInArchive: boolean;
  /** The table says where files end. */
  readonly withEnds: boolean;
  finish(input: TrailerInput): Promise<ChunkedTrailer>;
}

/** eStargz (stargz-snapshotter `docs/estargz.md`). */
export function estargz(level: number): PieceFormat {
  const codec = gzipPieces(level);
  return {
    codec,
    firstEntries: [{ header: { name: NO_PREFETCH, mode: 0o644 }, body: Buffer.of(0x0f) }],
    tocInArchive: true,
    withEnds: false,
    async finish({ entries, offset, onTar }) {
      const toc = encodeJson({ version: 1, entries } satisfies Toc);
      const { blocks } = encodeTarEntry({ name: TOC_NAME, mode: 0o444 }, toc.length);
      const padding = TAR_END.subarray(0, tarPadding(toc.length));
      const archive = Buffer.concat([blocks, toc, padding, TAR_END]);
      onTar(archive);
      return {
        bytes: [await codec(archive), estargzFooter(offset)],
        annotations: { [tocAnnotations.estargzDigest]: digestBytes(toc) },
      };
    },
  };
}

/** An empty gzip member whose extra field says where the table is. */
function estargzFooter(offset: number): Buffer {
  const field = Buffer.from(`${offset.toString(16).padStart(16, '0')}STARGZ`);
  const footer = Buffer.alloc(51);
  Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, 0x53, 0x47, 22, 0]).copy(footer);
  field.copy(footer, 16);
  // One stored block of no bytes, then a sum and a size of zero.
  Buffer.from([1, 0, 0, 0xff, 0xff]).copy(footer, 38);
  return footer;
}

/** What the footer of zstd:chunked ends with. */
const footerMagic = Buffer.from('474e556c496e5578', 'hex');

/** The kind of table that there is. */
const tableType = 1n;

/** zstd:chunked (containers/storage `docs/containers-storage-zstd-chunked.md`). */
export function zstdChunked(level: number): PieceFormat {
  const codec = zstdPieces(level);
  return {
    codec,
    firstEntries: [],
    tocInArchive: false,
    withEnds: true,
    async finish({ entries, offset, split }) {
      const notes = split.finish();
      const packedNotes = await codec(notes);
      const toc = encodeJson({
        version: 1,
        entries,
        tarSplitDigest: digestBytes(packedNotes),
      } satisfies Toc);
      const packedToc = await codec(toc);
      const tocFrame = skippableFrame(packedToc);
      const tocOffset = offset + tocFrame.length - packedToc.length;
      const notesFrame = skippableFrame(packedNotes);
      const notesOffset = offset + tocFrame.length + notesFrame.length - packedNotes.length;
      const footer = Buffer.alloc(64);
      const numbers = [tocOffset, packedToc.length, toc.length].map(BigInt);
      const fields = [...numbers, tableType, ...[notesOffset, packedNotes.length, notes.length].map(BigInt)];
      for (const [index, value] of fields.entries()) footer.writeBigUInt64LE(value, 8 * index);
      footerMagic.copy(footer, 56);
      return {
        bytes: [tocFrame, notesFrame, skippableFrame(footer)],
        annotations: {
          [tocAnnotations.zstdDigest]: digestBytes(packedToc),
          [tocAnnotations.zstdPosition]: `${tocOffset}:${packedToc.length}:${toc.length}:${tableType}`,
          [tocAnnotations.zstdTarSplit]: `${notesOffset}:${packedNotes.length}:${notes.length}`,
        },
      };
    },
  };
}

import { createHash } from 'node:crypto';
import type { Digest } from '../../digest/digest.ts';
import { invalidTar, quoteName } from '../../tar/failure.ts';
import type { CompleteEntry, TarWriterEntry } from '../../tar/writer-entry.ts';
import { formatTime } from '../../time.ts';
import { type TocEntry, tocTypes } from './toc.ts';

/** A chunk of a file in the blob. */
export interface WrittenChunk {
  /** Where it begins in the blob. */
  offset: number;
  /** Where it begins in the file. */
  readonly chunkOffset: number;
  readonly chunkSize: number;
  readonly chunkDigest: Digest;
}

/** What the table says of a file, once its chunks are written. */
export interface TocFile {
  readonly metadata: TocEntry;
  readonly chunks: readonly WrittenChunk[];
  /** Of the whole file; undefined for what has no content. */
  readonly digest: Digest | undefined;
  /** Where the last chunk ends. */
  end: number;
}

/** The metadata of an entry as the table has it. Throws ERR_OCI_TAR_INVALID for names that are not UTF-8: JSON has no form for them. */
export function tocMetadata(header: TarWriterEntry, entry: CompleteEntry): TocEntry {
  if (header.nameBytes !== undefined || header.linknameBytes !== undefined) {
    const message = `tar entry ${quoteName(header.name)} has a name that is not UTF-8, which no table of contents can hold`;
    throw invalidTar(message, { entry: header.name });
  }
  const { type, uid, gid, mode, size, mtimeNs, deviceMajor, deviceMinor, xattrs } = entry;
  const isDevice = type === 'character-device' || type === 'block-device';
  return {
    name: entry.name.toString(),
    type: tocTypes[type],
    ...(size > 0 ? { size } : {}),
    modtime: formatTime(mtimeNs),
    ...(entry.linkname.length > 0 ? { linkName: entry.linkname.toString() } : {}),
    mode,
    uid,
    gid,
    ...(isDevice ? { devMajor: deviceMajor, devMinor: deviceMinor } : {}),
    ...(xattrs.size > 0
      ? {
          xattrs: Object.fromEntries(
            [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
          ),
        }
      : {}),
  };
}

/** The entries of a file: its own, and one for each further chunk. */
export function tocEntriesOf({ metadata, chunks, digest, end }: TocFile, withEnd: boolean): TocEntry[] {
  const [first, ...further] = chunks;
  if (first === undefined || digest === undefined) return [metadata];
  const size = metadata.size ?? 0;
  const place = (chunk: WrittenChunk): Partial<TocEntry> => ({
    offset: chunk.offset,
    chunkDigest: chunk.chunkDigest,
    // The last chunk goes to the end of the file, which the format wants to be said by leaving its size out.
    ...(chunk.chunkOffset + chunk.chunkSize === size ? {} : { chunkSize: chunk.chunkSize }),
  });
  return [
    { ...metadata, digest, ...place(first), ...(withEnd ? { endOffset: end } : {}) },
    ...further.map((chunk) => ({
      name: metadata.name,
      type: 'chunk' as const,
      chunkOffset: chunk.chunkOffset,
      ...place(chunk),
      ...(withEnd ? { chunkSize: chunk.chunkSize } : {}),
    })),
  ];
}

/** sha256 in pieces, for chunks and files at once. */
export function sha256(): ReturnType<typeof createHash> {
  return createHash('sha256');
}

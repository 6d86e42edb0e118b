import { decompress } from '../../compression/decompress.ts';
import { type Digest, isDigest } from '../../digest/digest.ts';
import { verifiedStream } from '../../digest/verify.ts';
import { type TocEntry, tocTypes } from '../../layer/chunked/toc.ts';
import type { TarEntry, TarEntryType } from '../../tar/entry.ts';
import { parseTime } from '../../time.ts';
import type { ReadLayerOptions } from '../layer-entries.ts';
import { blobPart } from './blob-part.ts';
import { fileInLayer, type LayerFiles, type LayerPlace } from './layer-files.ts';
import { type FoundToc, readToc } from './toc.ts';

const typesByName = new Map<unknown, TarEntryType>(
  Object.entries(tocTypes).map(([type, name]) => [name, type as TarEntryType]),
);

/** Where the content of a file is in the blob, between two offsets, as gzip members or zstd frames of its own. */
interface ContentPlace {
  readonly start: number;
  end: number;
  readonly digest: Digest;
}

/** A layer by its table of contents; undefined when it has none that can be used. */
export async function tocFiles(
  place: LayerPlace,
  options: ReadLayerOptions = {},
): Promise<LayerFiles | undefined> {
  const toc = await readToc(place, options);
  const read = toc && readEntries(toc);
  if (read === undefined) return undefined;
  const { entries, contents } = read;
  return {
    entries,
    async *open(ordinal, { signal } = {}) {
      const { size = 0 } = entries[ordinal] ?? {};
      if (size === 0) return;
      const content = contents.get(ordinal);
      const packed =
        content === undefined
          ? undefined
          : await blobPart(place, { offset: content.start, length: content.end - content.start }, { signal });
      if (content === undefined || packed === undefined) {
        yield* fileInLayer(place, { ordinal, size, digest: content?.digest }, { signal });
        return;
      }
      const unpacked = first(decompress(packed, { limit: size + bytesBehind, signal }), size);
      yield* verifiedStream(unpacked, { digest: content.digest, size, signal });
    },
  };
}

/** What may lie behind a file up to the next one: headers of tar, which may have long names and attributes. */
const bytesBehind = 64 * 1024 * 1024;

async function* first(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

interface ReadEntries {
  readonly entries: readonly TarEntry[];
  /** By the place of the entry; of files that cannot be read by themselves there is none. */
  readonly contents: ReadonlyMap<number, ContentPlace>;
}

/** Undefined when there is something in the table that no layer has. */
function readEntries(toc: FoundToc): ReadEntries | undefined {
  const entries: TarEntry[] = [];
  const contents = new Map<number, ContentPlace>();
  const starts = [...new Set(toc.entries.flatMap(({ offset }) => (isOffset(offset) ? [offset] : [])))];
  starts.sort((a, b) => a - b);
  const nextStart = new Map(starts.map((start, index) => [start, starts[index + 1] ?? toc.offset]));
  for (const found of toc.entries) {
    const end = isOffset(found.offset) ? nextStart.get(found.offset) : undefined;
    if (found.type === 'chunk') {
      extend(contents, { ordinal: entries.length - 1, end: isPlain(found) ? end : undefined });
      continue;
    }
    const entry = entryOf(found);
    if (entry === undefined) return undefined;
    const { digest, offset } = found;
    if (
      entry.type === 'file' &&
      isOffset(offset) &&
      end !== undefined &&
      isPlain(found) &&
      isDigest(digest ?? '')
    )
      contents.set(entries.length, { start: offset, end, digest: digest as Digest });
    entries.push(entry);
  }
  return { entries, contents };
}

/** A further chunk of a file lies behind those before, or the file cannot be read at once. */
function extend(
  contents: Map<number, ContentPlace>,
  { ordinal, end }: { readonly ordinal: number; readonly end: number | undefined },
): void {
  const content = contents.get(ordinal);
  if (content === undefined) return;
  if (end === undefined || end <= content.end) contents.delete(ordinal);
  else content.end = end;
}

/** Chunks that share a member with others, or stand for holes, are not for us. */
function isPlain(found: object): boolean {
  return !('innerOffset' in found) && !('chunkType' in found && found.chunkType !== '');
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function entryOf(found: Partial<TocEntry>): TarEntry | undefined {
  const type = typesByName.get(found.type);
  const { name, modtime, linkName = '', mode = 0, uid = 0, gid = 0, size = 0 } = found;
  const { devMajor = 0, devMinor = 0, xattrs = {} } = found;
  const numbers = [mode, uid, gid, size, devMajor, devMinor];
  if (type === undefined || typeof name !== 'string' || typeof linkName !== 'string') return undefined;
  if (!numbers.every(isOffset) || typeof xattrs !== 'object') return undefined;
  return {
    name,
    type,
    linkname: linkName,
    mode: mode & 0o7777,
    uid,
    gid,
    uname: '',
    gname: '',
    size: type === 'file' ? size : 0,
    mtimeNs: (typeof modtime === 'string' ? parseTime(modtime) : undefined) ?? 0n,
    deviceMajor: devMajor,
    deviceMinor: devMinor,
    xattrs: new Map(
      Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(String(value), 'base64')]),
    ),
    offset: 0,
  };
}

import { decompress } from '../../compression/decompress.ts';
import { type Digest, isDigest } from '../../digest/digest.ts';
import { verifyBytes } from '../../digest/verify.ts';
import { type ImageError, isOciError } from '../../errors.ts';
import { parseJson } from '../../json/parse.ts';
import { formerTocAnnotations, TOC_NAME, type TocEntry, tocAnnotations } from '../../layer/chunked/toc.ts';
import { TOC_LIMIT } from '../../limits.ts';
import { readTar } from '../../tar/reader.ts';
import type { ReadLayerOptions } from '../layer-entries.ts';
import { blobPart } from './blob-part.ts';
import type { LayerPlace } from './layer-files.ts';

/** The table of contents of a layer. */
export interface FoundToc {
  /** Checked to be objects, nothing else. */
  readonly entries: readonly Partial<TocEntry>[];
  /** Where the table begins in the blob, and the files end. */
  readonly offset: number;
}

/** Bytes of the footer of eStargz. */
const estargzFooterBytes = 51;

/**
 * Reads the table of contents of a layer, eStargz or zstd:chunked, when the manifest tells its digest: then it is as
 * trustworthy as the layer. Undefined when there is none to use. Throws ERR_OCI_DIGEST_MISMATCH for another table than the
 * manifest's, and what the source throws.
 */
export async function readToc(
  place: LayerPlace,
  options: ReadLayerOptions = {},
): Promise<FoundToc | undefined> {
  const { annotations = {} } = place.layer;
  const zstd = annotations[tocAnnotations.zstdDigest] ?? annotations[formerTocAnnotations.zstdDigest];
  const estargz = annotations[tocAnnotations.estargzDigest];
  try {
    if (zstd !== undefined && isDigest(zstd)) return await zstdToc(place, zstd, options);
    if (estargz !== undefined && isDigest(estargz)) return await estargzToc(place, estargz, options);
    return undefined;
  } catch (error) {
    // What the manifest means, but nobody can read, is as good as no table: the layer itself has all that is in it.
    if (isUnusable(error)) return undefined;
    throw error;
  }
}

const unusable = [
  'ERR_OCI_JSON_INVALID',
  'ERR_OCI_LIMIT_EXCEEDED',
  'ERR_OCI_COMPRESSION_INVALID',
  'ERR_OCI_TAR_INVALID',
] as const;

function isUnusable(error: unknown): error is ImageError {
  return unusable.some((code) => isOciError(error, code));
}

async function zstdToc(
  place: LayerPlace,
  digest: Digest,
  { signal }: ReadLayerOptions,
): Promise<FoundToc | undefined> {
  const { annotations = {} } = place.layer;
  const position =
    annotations[tocAnnotations.zstdPosition] ?? annotations[formerTocAnnotations.zstdPosition] ?? '';
  const [, start, packed, length] = /^(\d{1,15}):(\d{1,15}):(\d{1,15}):1$/.exec(position) ?? [];
  const part = { offset: Number(start), length: Number(packed) };
  if (!(Number(length) <= TOC_LIMIT && part.length <= TOC_LIMIT)) return undefined;
  const bytes = await collect(await blobPart(place, part, { signal }));
  if (bytes === undefined) return undefined;
  verifyBytes(bytes, { digest, size: part.length });
  const json = await collect(decompress(once(bytes), { compression: 'zstd', limit: TOC_LIMIT, signal }));
  return json && { entries: parseToc(json), offset: part.offset };
}

async function estargzToc(
  place: LayerPlace,
  digest: Digest,
  { signal }: ReadLayerOptions,
): Promise<FoundToc | undefined> {
  const { size } = place.layer;
  const end = size - estargzFooterBytes;
  const footer = await collect(
    await blobPart(place, { offset: end, length: estargzFooterBytes }, { signal }),
  );
  const [, text = ''] = /^([0-9a-f]{16})STARGZ$/.exec(footer?.toString('latin1', 16, 38) ?? '') ?? [];
  const offset = Number.parseInt(text, 16);
  const length = end - offset;
  if (!(length > 0 && length <= TOC_LIMIT)) return undefined;
  const packed = await blobPart(place, { offset, length }, { signal });
  if (packed === undefined) return undefined;
  const tar = decompress(packed, { compression: 'gzip', limit: 2 * TOC_LIMIT, signal });
  for await (const { header, body } of readTar(tar, { signal })) {
    if (header.name !== TOC_NAME || header.size > TOC_LIMIT) continue;
    const json = await collect(body);
    if (json === undefined) continue;
    verifyBytes(json, { digest, size: json.length });
    return { entries: parseToc(json), offset };
  }
  return undefined;
}

function parseToc(json: Buffer): readonly Partial<TocEntry>[] {
  const toc = parseJson(json, { limit: TOC_LIMIT, what: 'the table of contents' }) as {
    readonly version?: unknown;
    readonly entries?: unknown;
  } | null;
  if (toc?.version !== 1 || !Array.isArray(toc.entries)) return [];
  return toc.entries.filter((entry) => typeof entry === 'object' && entry !== null);
}

async function collect(bytes: AsyncIterable<Uint8Array> | undefined): Promise<Buffer | undefined> {
  if (bytes === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Digest } from '../../digest/digest.ts';
import { createHasher, type Hasher } from '../../digest/hasher.ts';
import { LISTING_LIMIT } from '../../limits.ts';
import type { TarEntry } from '../../tar/entry.ts';
import { type EntryRecord, entryOfRecord, recordOfEntry } from '../../tar/entry-record.ts';
import { parseLayer, type ReadLayerOptions } from '../layer-entries.ts';
import { fileInLayer, type LayerFiles, type LayerPlace } from './layer-files.ts';

/** The form of listings; one of another version is made anew. */
const version = 1;

/** The entries of a layer, and the digests of its files. */
interface Listing {
  readonly entries: TarEntry[];
  /** By the place of the entry; holes of sparse files are not hashed, so that these have none. */
  readonly digests: Map<number, Digest>;
}

/**
 * A layer by its listing, which tells where its files are and what they must be. A layer is listed when it is looked
 * into for the first time, which reads all of it; then at most as much as there is in front of the end of a file.
 */
export async function listedFiles(place: LayerPlace, options: ReadLayerOptions = {}): Promise<LayerFiles> {
  const { entries, digests } = (await storedListing(place)) ?? (await makeListing(place, options));
  return {
    entries,
    open: (ordinal, { signal } = {}) =>
      fileInLayer(
        place,
        { ordinal, size: entries[ordinal]?.size ?? 0, digest: digests.get(ordinal) },
        { signal },
      ),
  };
}

async function storedListing({ image, layer }: LayerPlace): Promise<Listing | undefined> {
  const packed = await image.listings?.read(layer.digest);
  if (packed === undefined) return undefined;
  try {
    const text = await promisify(zstdDecompress)(packed, { maxOutputLength: LISTING_LIMIT });
    return decodeListing(text.toString());
  } catch {
    // Nobody waits for the disk when it is written: what a power failure spoilt is made again.
    return undefined;
  }
}

async function makeListing(place: LayerPlace, { signal }: ReadLayerOptions): Promise<Listing> {
  const { image, layer } = place;
  const listing: Listing = { entries: [], digests: new Map() };
  const { entries, digests } = listing;
  const { listings } = image;
  let hasher: Hasher | undefined;
  await parseLayer(image, layer, {
    handler: {
      entry(header) {
        entries.push(header);
        const isHashed = listings !== undefined && header.type === 'file' && header.sparse === undefined;
        hasher = isHashed ? createHasher('sha256') : undefined;
      },
      data: (chunk) => hasher?.update(chunk),
      end() {
        if (hasher !== undefined) digests.set(entries.length - 1, hasher.digest());
      },
    },
    signal,
  });
  const text = listings && encodeListing(listing);
  if (text !== undefined) await listings?.write(layer.digest, await promisify(zstdCompress)(text));
  return listing;
}

/** A line for each entry, and their number in front; undefined when that is too much to keep. */
function encodeListing({ entries, digests }: Listing): string | undefined {
  const lines = [JSON.stringify([version, entries.length])];
  let length = 0;
  for (const [index, entry] of entries.entries()) {
    const line = JSON.stringify([recordOfEntry(entry), digests.get(index) ?? 0]);
    length += Buffer.byteLength(line);
    if (length > LISTING_LIMIT) return undefined;
    lines.push(line);
  }
  return lines.join('\n');
}

function decodeListing(text: string): Listing | undefined {
  const [head = '', ...lines] = text.split('\n');
  const [found, count] = JSON.parse(head) as readonly unknown[];
  if (found !== version || count !== lines.length) return undefined;
  const digests = new Map<number, Digest>();
  const entries = lines.map((line, index) => {
    const [record, digest] = JSON.parse(line) as readonly [EntryRecord, Digest | 0];
    if (digest !== 0) digests.set(index, digest);
    return entryOfRecord(record);
  });
  return { entries, digests };
}

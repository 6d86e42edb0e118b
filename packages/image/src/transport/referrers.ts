import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { isOciError } from '../errors.ts';
import { MANIFEST_LIMIT } from '../limits.ts';
import { parseManifestOrIndex } from '../manifest/manifest.ts';
import { isIndexType } from '../media-types.ts';
import { listBlobs } from '../store/garbage/listing.ts';
import type { ImageCollection } from './collection.ts';

/** Manifests and indexes by the digest of their subject. */
export type Referrers = ReadonlyMap<Digest, readonly Descriptor[]>;

/** Where {@link findReferrers} looks: a store or layout, whose blobs are looked through, or an archive, whose entries are. */
export interface ReferrerPlace extends Pick<ImageCollection, 'entries' | 'readAll'> {
  /** Of a store or layout. */
  readonly directory?: string;
}

/**
 * Finds what refers to which subject (image-spec `manifest.md`, "subject"), each as the referrers API would list it. Of an
 * archive: its entries, and those of the indexes among them, under which other tools keep referrers.
 */
export async function findReferrers(
  place: ReferrerPlace,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Referrers> {
  const found = new Map<Digest, Descriptor[]>();
  const seen = new Set<Digest>();
  const candidates = [...(await candidatesOf(place, signal))];
  // Grows while it is walked.
  for (const candidate of candidates) {
    if (seen.has(candidate.digest) || candidate.size > MANIFEST_LIMIT) continue;
    seen.add(candidate.digest);
    const read = await readDocument(place, candidate, signal);
    if (read === undefined) continue;
    const { subject, descriptor, entries } = read;
    if (place.directory === undefined) candidates.push(...entries);
    if (subject !== undefined) found.set(subject.digest, [...(found.get(subject.digest) ?? []), descriptor]);
  }
  return found;
}

async function candidatesOf(
  place: ReferrerPlace,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  if (place.directory === undefined) return place.entries();
  const { blobs } = await listBlobs(place.directory, { signal });
  return blobs.map(({ digest, size }) => ({ mediaType: '', digest, size }));
}

interface ReadDocument {
  readonly descriptor: Descriptor;
  readonly subject: Descriptor | undefined;
  readonly entries: readonly Descriptor[];
}

/** Undefined for a blob that is no manifest, is damaged, or is not there. */
async function readDocument(
  place: ReferrerPlace,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<ReadDocument | undefined> {
  try {
    const raw = await place.readAll({ mediaType: '', digest, size }, { signal, limit: MANIFEST_LIMIT });
    if (raw[0] !== 0x7b) return undefined;
    const document = parseManifestOrIndex(raw);
    const { mediaType } = document;
    const value = document.kind === 'manifest' ? document.manifest : document.index;
    const config = document.kind === 'manifest' ? document.manifest.config.mediaType : undefined;
    const { subject, annotations, artifactType = config } = value;
    return {
      subject,
      descriptor: {
        mediaType,
        digest,
        size,
        ...(artifactType === undefined ? {} : { artifactType }),
        ...(annotations === undefined ? {} : { annotations }),
      },
      entries: document.kind === 'index' && isIndexType(mediaType) ? document.index.manifests : [],
    };
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
}

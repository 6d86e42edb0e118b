import { type Digest, isDigest, parseAnyDigest } from '../../digest/digest.ts';
import { ImageError, isOciError } from '../../errors.ts';
import { MANIFEST_LIMIT } from '../../limits.ts';
import { parseManifestOrIndex } from '../../manifest/manifest.ts';
import { isIndexType, isManifestType } from '../../media-types.ts';
import type { Store } from '../store.ts';

/** What a blob refers to. */
export interface BlobReferences {
  /** Blobs that are needed with it: config and layers. */
  readonly blobs: readonly Digest[];
  /** Blobs that may refer to others in turn: the entries of an index, and the subject. */
  readonly documents: readonly Digest[];
  readonly subject?: Digest | undefined;
}

/** Reads what blobs refer to, each blob once. */
export interface Documents {
  /**
   * What a blob refers to; nothing when the store has no such blob, or when it cannot be a manifest or an index. Throws
   * ERR_OCI_STORE_INVALID for a damaged one: what it refers to is not known then.
   */
  read(digest: Digest, options: { readonly signal: AbortSignal | undefined }): Promise<BlobReferences>;
}

const nothing: BlobReferences = { blobs: [], documents: [] };
const anyDigest = /\b(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|blake3:[0-9a-f]{64})(?![0-9a-f])/g;

/** Reads from a store, and remembers: a blob never changes. */
export function createDocuments(store: Pick<Store, 'directory' | 'readAll' | 'size'>): Documents {
  const known = new Map<Digest, BlobReferences>();
  return {
    async read(digest, { signal }) {
      const before = known.get(digest);
      if (before !== undefined) return before;
      const size = await store.size(digest);
      // It may still come, so this is not remembered.
      if (size === undefined) return nothing;
      const found = size > MANIFEST_LIMIT || !isDigest(digest) ? nothing : await readBlob(digest, size);
      if (found !== undefined) known.set(digest, found);
      return found ?? nothing;

      async function readBlob(present: Digest, bytes: number): Promise<BlobReferences | undefined> {
        const descriptor = { mediaType: 'application/json', digest: present, size: bytes };
        try {
          return referencesIn(await store.readAll(descriptor, { limit: MANIFEST_LIMIT, signal }));
        } catch (error) {
          if (isOciError(error, 'ERR_OCI_BLOB_NOT_FOUND')) return undefined;
          if (!isDamage(error)) throw error;
          throw new ImageError('ERR_OCI_STORE_INVALID', `blob ${present} is damaged`, {
            digest: present,
            path: store.directory,
            cause: error,
            hint: 'run `oci fsck --repair`, and pull its image again',
          });
        }
      }
    },
  };
}

/** True for the failures of a blob that is not what its digest says. */
export function isDamage(error: unknown): boolean {
  return isOciError(error, 'ERR_OCI_DIGEST_MISMATCH') || isOciError(error, 'ERR_OCI_SIZE_MISMATCH');
}

/**
 * What a document refers to. One that we cannot read may mean something to another program: then every digest that
 * stands in it counts.
 */
function referencesIn(raw: Uint8Array): BlobReferences {
  // Layers and configs of other kinds: no JSON object, nothing to look for.
  if (raw[0] !== 0x7b && !/^\s*\{/.test(Buffer.from(raw.subarray(0, 64)).toString('latin1'))) return nothing;
  try {
    const document = parseManifestOrIndex(raw);
    if (document.kind === 'index') {
      const { manifests, subject } = document.index;
      const nested = manifests.filter(({ mediaType }) => mayRefer(mediaType));
      const leaves = manifests.filter(({ mediaType }) => !mayRefer(mediaType));
      return {
        blobs: leaves.map(({ digest }) => digest),
        documents: [
          ...nested.map(({ digest }) => digest),
          ...(subject === undefined ? [] : [subject.digest]),
        ],
        subject: subject?.digest,
      };
    }
    const { config, layers, subject } = document.manifest;
    return {
      blobs: [config.digest, ...layers.map(({ digest }) => digest)],
      documents: subject === undefined ? [] : [subject.digest],
      subject: subject?.digest,
    };
  } catch (error) {
    if (!isOciError(error)) throw error;
    const found = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1').match(anyDigest);
    return { blobs: [], documents: [...new Set(found)].map(parseAnyDigest) };
  }
}

function mayRefer(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType) || /[/+]json$/.test(mediaType);
}

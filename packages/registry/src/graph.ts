import {
  type Descriptor,
  hostPlatform,
  ImageError,
  type Index,
  isIndexType,
  isManifestType,
  type Manifest,
  type Platform,
  parseIndex,
  parseManifest,
  selectPlatform,
} from '@ocijs/image';
import { forEachConcurrently } from './concurrency.ts';
import { defaultConcurrency, limits } from './limits.ts';

/** A manifest with its place. */
export interface ManifestNode {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** An index with its place. */
export interface IndexNode {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly index: Index;
}

/** What lies below a descriptor: the indexes on the way, each before what it refers to, and the manifests. */
export interface ImageGraph {
  readonly indexes: readonly IndexNode[];
  readonly manifests: readonly ManifestNode[];
  /** Entries of indexes that are neither manifest nor index. */
  readonly unknown: readonly Descriptor[];
}

/** How a graph is walked. */
export interface WalkOptions {
  /** The bytes of a manifest or index, verified against the descriptor; called for several manifests at once. */
  readonly load: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Which entries of an index are followed. */
  readonly choose: (index: Index) => readonly Descriptor[];
  /** Manifests that are loaded at the same time. Default {@link defaultConcurrency}. */
  readonly concurrency?: number | undefined;
}

/**
 * Reads a manifest, or an index and what it refers to. Each digest is visited once, so that indexes cannot
 * refer to each other in circles; depth and number of manifests are limited (ERR_OCI_LIMIT_EXCEEDED).
 */
export async function walkGraph(top: Descriptor, options: WalkOptions): Promise<ImageGraph> {
  const { load, choose, concurrency = defaultConcurrency } = options;
  const indexes: IndexNode[] = [];
  const manifests: ManifestNode[] = [];
  const unknown: Descriptor[] = [];
  const visited = new Set<string>();
  const early = new Map<string, Uint8Array>();

  /** An index of many images must not cost a round trip after the other. */
  const loadEarly = async (entries: readonly Descriptor[]): Promise<void> => {
    const fresh = entries.filter(
      ({ mediaType, digest }) => isManifestType(mediaType) && !visited.has(digest),
    );
    const wanted = [...new Map(fresh.map((entry) => [entry.digest, entry])).values()];
    if (visited.size + wanted.length > limits.indexManifests) throw tooMany(top);
    await forEachConcurrently(wanted, {
      limit: concurrency,
      work: async (entry) => void early.set(entry.digest, await load(entry)),
    });
  };

  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { mediaType, digest } = descriptor;
    if (visited.has(digest)) return;
    visited.add(digest);
    if (visited.size > limits.indexManifests) throw tooMany(top);
    if (isIndexType(mediaType)) {
      if (depth >= limits.indexDepth) throw tooLarge(top, 'levels of indexes', limits.indexDepth);
      const bytes = await load(descriptor);
      const index = parseIndex(bytes, { mediaType });
      indexes.push({ descriptor, bytes, index });
      const entries = choose(index);
      await loadEarly(entries);
      for (const entry of entries) await visit(entry, depth + 1);
    } else if (isManifestType(mediaType)) {
      const bytes = early.get(digest) ?? (await load(descriptor));
      early.delete(digest);
      manifests.push({ descriptor, bytes, manifest: parseManifest(bytes, { mediaType }) });
    } else unknown.push(descriptor);
  };

  await visit(top, 0);
  return { indexes, manifests, unknown };
}

/** Follows the one entry that fits a platform, the host's by default. */
export function chooseOne(platform: Platform = hostPlatform()): (index: Index) => readonly Descriptor[] {
  return (index) => [selectPlatform(index.manifests, platform)];
}

/** Follows all entries. */
export function chooseAll(index: Index): readonly Descriptor[] {
  return index.manifests;
}

/** Config and layers of manifests, each digest once. */
export function blobsOf(manifests: readonly ManifestNode[]): readonly Descriptor[] {
  const all = manifests.flatMap(({ manifest }) => [manifest.config, ...manifest.layers]);
  return [...new Map(all.map((blob) => [blob.digest, blob])).values()];
}

function tooMany(top: Descriptor): ImageError {
  return tooLarge(top, 'manifests', limits.indexManifests);
}

function tooLarge(top: Descriptor, what: string, limit: number): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `index ${top.digest} has more than ${limit} ${what}`, {
    limit,
    digest: top.digest,
  });
}

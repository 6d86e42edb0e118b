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
import { limits } from './limits.ts';

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
  /** The bytes of a manifest or index, verified against the descriptor. */
  readonly load: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Which entries of an index are followed. */
  readonly choose: (index: Index) => readonly Descriptor[];
}

/**
 * Reads a manifest, or an index and what it refers to. Each digest is visited once, so that indexes cannot
 * refer to each other in circles; depth and number of manifests are limited (ERR_OCI_LIMIT_EXCEEDED).
 */
export async function walkGraph(top: Descriptor, { load, choose }: WalkOptions): Promise<ImageGraph> {
  const indexes: IndexNode[] = [];
  const manifests: ManifestNode[] = [];
  const unknown: Descriptor[] = [];
  const visited = new Set<string>();

  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    const { mediaType, digest } = descriptor;
    if (visited.has(digest)) return;
    visited.add(digest);
    if (visited.size > limits.indexManifests) throw tooLarge(top, 'manifests', limits.indexManifests);
    if (isIndexType(mediaType)) {
      if (depth >= limits.indexDepth) throw tooLarge(top, 'levels of indexes', limits.indexDepth);
      const bytes = await load(descriptor);
      const index = parseIndex(bytes, { mediaType });
      indexes.push({ descriptor, bytes, index });
      for (const entry of choose(index)) await visit(entry, depth + 1);
    } else if (isManifestType(mediaType)) {
      const bytes = await load(descriptor);
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

function tooLarge(top: Descriptor, what: string, limit: number): ImageError {
  return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `index ${top.digest} has more than ${limit} ${what}`, {
    limit,
    digest: top.digest,
  });
}

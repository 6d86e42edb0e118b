import { join } from 'node:path';
import { overlayEntries, type Snapshots } from '@ocijs/bundle';
import {
  chainIds,
  createHasher,
  type Descriptor,
  type Digest,
  type DraftLayer,
  decompress,
  digestHex,
  isDigest,
  layerCompression,
  MediaType,
  parseDescriptor,
  type Store,
  type TarWriteEntry,
  writeLayer,
  writeTar,
} from '@ocijs/image';
import { BuildError } from '../errors.ts';
import type { ImportedCaches } from './imported-caches.ts';
import { readRecord, writeRecord } from './records.ts';

/**
 * A layer that a step made. Until an image needs it compressed, its descriptor is that of the plain archive, whose digest is the
 * diff id; the archive itself may never have been written.
 */
export interface StepLayer extends DraftLayer {
  /** The layer is what overlayfs wrote, and its archive is made of its snapshot. */
  readonly isUpper?: boolean;
}

/** How layers may be compressed. */
export type CacheFormat = 'gzip' | 'zstd' | 'none';

/** Where the layers of steps are. They are compressed only when they become part of an image. */
export interface StepLayers {
  /** Writes a layer as a plain archive. */
  write(entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>): Promise<StepLayer>;
  /** The layer that an upper directory, settled before, is; the directory becomes its snapshot if it can. */
  adopt(upper: string, lower: readonly Digest[]): Promise<StepLayer>;
  /** True when the layer can be had over the layers below it. */
  isThere(layer: StepLayer, lower: readonly Digest[]): Promise<boolean>;
  /** The layer with the blob that the store has of it; unchanged when there is a snapshot, or no blob. */
  located(layer: DraftLayer, lower: readonly Digest[]): Promise<DraftLayer>;
  /** The layer as images have it: compressed, in the store. Of several calls for one layer, one does the work. */
  compressed(layer: StepLayer, lower: readonly Digest[], format?: CacheFormat): Promise<DraftLayer>;
}

export interface StepLayersOptions {
  /** Caches that may have what the store has not. */
  readonly imported?: ImportedCaches | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens the layers of a store. */
export function openStepLayers(
  store: Store,
  snapshots: Snapshots,
  { imported, signal }: StepLayersOptions,
): StepLayers {
  const place = (diffId: Digest, format: CacheFormat): string =>
    join(store.directory, 'build-cache', 'layers', `${digestHex(diffId)}.${format}.json`);
  const how = { notedOwners: snapshots.notesOwners, signal };
  const compressing = new Map<string, Promise<DraftLayer>>();

  const has = async ({ digest, size }: Descriptor): Promise<boolean> => (await store.size(digest)) === size;

  async function knownCompressed(diffId: Digest, format: CacheFormat): Promise<Descriptor | undefined> {
    const descriptor = parseCompressed(await readRecord(place(diffId, format)));
    return descriptor !== undefined && (await has(descriptor)) ? descriptor : undefined;
  }

  /** A blob of the layer, whatever its form; fetched from another cache if need be. */
  async function blobOf({ descriptor, diffId }: DraftLayer): Promise<Descriptor | undefined> {
    if (await has(descriptor)) return descriptor;
    return (await knownCompressed(diffId, 'gzip')) ?? imported?.bring(diffId);
  }

  const snapshotOf = ({ diffId }: DraftLayer, lower: readonly Digest[]) => {
    const chainId = chainIds([...lower, diffId]).at(-1);
    return chainId === undefined ? undefined : snapshots.find(chainId);
  };

  async function compress(layer: StepLayer, lower: readonly Digest[], format: CacheFormat) {
    const { diffId } = layer;
    const known = await knownCompressed(diffId, format);
    if (known !== undefined) return { descriptor: known, diffId };
    const blob = await blobOf(layer);
    if (blob !== undefined && layerCompression(blob.mediaType) === format)
      return { descriptor: blob, diffId };
    const snapshot = blob === undefined ? await snapshotOf(layer, lower) : undefined;
    const content =
      snapshot === undefined
        ? { tar: archiveOf(blob ?? layer.descriptor) }
        : { entries: overlayEntries(snapshot.rootfs, how) };
    const { descriptor, diffId: actual } = await writeLayer(store, content, { format, signal });
    if (actual !== diffId)
      throw new BuildError('ERR_OCI_BUILD_CACHE_INVALID', `the snapshot of layer ${diffId} has changed`, {
        digest: diffId,
        actual,
        hint: 'somebody wrote into the store; build with --no-cache',
      });
    await writeRecord(place(diffId, format), descriptor);
    return { descriptor, diffId };
  }

  const archiveOf = (blob: Descriptor): AsyncIterable<Uint8Array> =>
    decompress(store.read(blob, { signal }), {
      compression: layerCompression(blob.mediaType) ?? 'auto',
      signal,
    });

  const write: StepLayers['write'] = async (entries) => {
    const { descriptor, diffId } = await writeLayer(store, { entries }, { format: 'none', signal });
    return { descriptor, diffId };
  };

  return {
    write,
    async adopt(upper, lower) {
      const hasher = createHasher('sha256');
      let size = 0;
      for await (const chunk of writeTar(overlayEntries(upper, how), { signal })) {
        hasher.update(chunk);
        size += chunk.length;
      }
      const diffId = hasher.digest();
      if (await snapshots.adopt(upper, { diffIds: [...lower, diffId], signal }))
        return { descriptor: { mediaType: MediaType.layer, digest: diffId, size }, diffId, isUpper: true };
      return write(overlayEntries(upper, how));
    },
    async isThere(layer, lower) {
      const { descriptor, diffId } = layer;
      if ((await has(descriptor)) || (await knownCompressed(diffId, 'gzip')) !== undefined) return true;
      if (layer.isUpper === true && (await snapshotOf(layer, lower)) !== undefined) return true;
      return imported?.has(diffId) ?? false;
    },
    async located(layer, lower) {
      const isReady = (await snapshotOf(layer, lower)) !== undefined;
      const descriptor = isReady ? undefined : await blobOf(layer);
      return descriptor === undefined ? layer : { descriptor, diffId: layer.diffId };
    },
    compressed(layer, lower, format = 'gzip') {
      const key = `${layer.diffId} ${format}`;
      const known = compressing.get(key) ?? compress(layer, lower, format);
      // Whoever needs the layer sees the failure; a build that fails before has a reason of its own.
      known.catch(() => undefined);
      compressing.set(key, known);
      return known;
    },
  };
}

function parseCompressed(record: unknown): Descriptor | undefined {
  try {
    const descriptor = parseDescriptor(record, '$');
    return isDigest(descriptor.digest) ? descriptor : undefined;
  } catch {
    // The layer is compressed again.
    return undefined;
  }
}

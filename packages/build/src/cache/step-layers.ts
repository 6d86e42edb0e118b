import { join } from 'node:path';
import { overlayEntries, type Snapshots } from '@ocijs/bundle';
import {
  chainIds,
  createHasher,
  type Descriptor,
  type Digest,
  type DraftLayer,
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
import { readRecord, writeRecord } from './records.ts';

/**
 * A layer that a step made. Until an image needs it compressed, its descriptor is that of the plain archive, whose digest is the
 * diff id; the archive itself may never have been written.
 */
export interface StepLayer extends DraftLayer {
  /** The layer is what overlayfs wrote, and its archive is made of its snapshot. */
  readonly isUpper?: boolean;
}

/** Where the layers of steps are. They are compressed only when they become part of an image. */
export interface StepLayers {
  /** Writes a layer as a plain archive. */
  write(entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>): Promise<StepLayer>;
  /** The layer that an upper directory, settled before, is; the directory becomes its snapshot if it can. */
  adopt(upper: string, lower: readonly Digest[]): Promise<StepLayer>;
  /** True when the layer can be had over the layers below it. */
  isThere(layer: StepLayer, lower: readonly Digest[]): Promise<boolean>;
  /** The layer with the blob that the store has of it; unchanged when it has none. */
  located(layer: DraftLayer): Promise<DraftLayer>;
  /** The layer as images have it: compressed, in the store. Of several calls for one layer, one does the work. */
  compressed(layer: StepLayer, lower: readonly Digest[]): Promise<DraftLayer>;
}

/** Opens the layers of a store. */
export function openStepLayers(
  store: Store,
  snapshots: Snapshots,
  { signal }: { readonly signal?: AbortSignal | undefined },
): StepLayers {
  const place = (diffId: Digest): string =>
    join(store.directory, 'build-cache', 'layers', `${digestHex(diffId)}.json`);
  const how = { notedOwners: snapshots.notesOwners, signal };
  const compressing = new Map<Digest, Promise<DraftLayer>>();

  const has = async ({ digest, size }: Descriptor): Promise<boolean> => (await store.size(digest)) === size;

  async function knownCompressed(diffId: Digest): Promise<Descriptor | undefined> {
    const descriptor = parseCompressed(await readRecord(place(diffId)));
    return descriptor !== undefined && (await has(descriptor)) ? descriptor : undefined;
  }

  const snapshotOf = ({ diffId }: DraftLayer, lower: readonly Digest[]) => {
    const chainId = chainIds([...lower, diffId]).at(-1);
    return chainId === undefined ? undefined : snapshots.find(chainId);
  };

  async function compress(layer: StepLayer, lower: readonly Digest[]): Promise<DraftLayer> {
    const { descriptor, diffId } = layer;
    if (!isPlain(layer)) return layer;
    const known = await knownCompressed(diffId);
    if (known !== undefined) return { descriptor: known, diffId };
    const snapshot = (await has(descriptor)) ? undefined : await snapshotOf(layer, lower);
    const content =
      snapshot === undefined
        ? { tar: store.read(descriptor, { signal }) }
        : { entries: overlayEntries(snapshot.rootfs, how) };
    const made = await writeLayer(store, content, { signal });
    if (made.diffId !== diffId)
      throw new BuildError('ERR_OCI_BUILD_CACHE_INVALID', `the snapshot of layer ${diffId} has changed`, {
        digest: diffId,
        actual: made.diffId,
        hint: 'somebody wrote into the store; build with --no-cache',
      });
    await writeRecord(place(diffId), made.descriptor);
    return { descriptor: made.descriptor, diffId };
  }

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
      if ((await has(layer.descriptor)) || (await knownCompressed(layer.diffId)) !== undefined) return true;
      return layer.isUpper === true && (await snapshotOf(layer, lower)) !== undefined;
    },
    async located(layer) {
      if (!isPlain(layer) || (await has(layer.descriptor))) return layer;
      const descriptor = await knownCompressed(layer.diffId);
      return descriptor === undefined ? layer : { descriptor, diffId: layer.diffId };
    },
    compressed(layer, lower) {
      const known = compressing.get(layer.diffId) ?? compress(layer, lower);
      // Whoever needs the layer sees the failure; a build that fails before has a reason of its own.
      known.catch(() => undefined);
      compressing.set(layer.diffId, known);
      return known;
    },
  };
}

function isPlain({ descriptor, diffId }: DraftLayer): boolean {
  return descriptor.digest === diffId && layerCompression(descriptor.mediaType) === 'none';
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

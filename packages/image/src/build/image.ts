import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import { encodeJson } from '../json/encode.ts';
import type { ExecutionConfig, HistoryEntry, ImageConfig, Index, Manifest } from '../manifest/types.ts';
import { MediaType } from '../media-types.ts';
import { hostPlatform } from '../platform/host.ts';
import type { Platform } from '../platform.ts';
import { blobNotFound } from '../store/blobs.ts';
import type { ContentStore } from '../store/content-store.ts';
import type { Lease } from '../store/lease/lease.ts';
import type { ImageStore } from '../store/store.ts';
import type { ImageLayer } from './layer.ts';

/** Where an image is written to: a store; without names, any {@link ContentStore} will do. */
export type ImageDestination = Pick<ContentStore, 'put' | 'size'> &
  Partial<Pick<ImageStore, 'tag' | 'lease'>>;

/** What an image is made of. */
export interface WriteImageOptions {
  /** Lowest first. */
  readonly layers: readonly ImageLayer[];
  /** What a container of the image starts with. */
  readonly config?: ExecutionConfig | undefined;
  /** Default: that of this host. */
  readonly platform?: Platform | undefined;
  /**
   * Seconds since 1970 (`SOURCE_DATE_EPOCH`) or a date. Default: the beginning of 1970, so that equal input gives an
   * equal image.
   */
  readonly created?: number | Date | undefined;
  readonly author?: string | undefined;
  /** Default: one entry for each layer. */
  readonly history?: readonly HistoryEntry[] | undefined;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The name that the store gets for the image. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an image into a store: layers, config (image-spec `config.md`) and manifest (`manifest.md`), and then, when
 * there is one, the name. The same options give the same digest. Returns the manifest's descriptor, with the platform.
 *
 * Throws ERR_OCI_BLOB_NOT_FOUND for a layer that comes without bytes and is not in the store, and what the store throws.
 */
export async function writeImage(store: ImageDestination, options: WriteImageOptions): Promise<Descriptor> {
  const { layers, platform = hostPlatform(), annotations, signal } = options;
  await using lease = await leaseFor(store, options);
  await lease?.add(layers.map(({ descriptor }) => descriptor.digest));
  for (const layer of layers) {
    signal?.throwIfAborted();
    await writeLayer(store, layer);
  }
  signal?.throwIfAborted();
  const config = await putLeased(store, {
    document: configOf(options, platform),
    type: MediaType.config,
    lease,
  });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const written = await putLeased(store, { document: manifest, type: MediaType.manifest, lease });
  const descriptor = { ...written, platform };
  await nameIt(store, options.name, descriptor);
  return descriptor;
}

/** What an index is made of. */
export interface WriteIndexOptions {
  /** Descriptors of manifests or indexes, each with its platform, as {@link writeImage} returns them. */
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The name that the store gets for the index. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an image of several platforms (image-spec `image-index.md`) into a store that has the images, and names it.
 * Throws ERR_OCI_BLOB_NOT_FOUND when it has one of them not.
 */
export async function writeIndex(
  store: ImageDestination,
  { manifests, annotations, name, signal }: WriteIndexOptions,
): Promise<Descriptor> {
  signal?.throwIfAborted();
  await using lease = await leaseFor(store, { name });
  await lease?.add(manifests.map(({ digest }) => digest));
  for (const { digest } of manifests)
    if ((await store.size(digest)) === undefined) throw blobNotFound(digest, 'the store');
  const index: Index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests,
    ...(annotations === undefined ? {} : { annotations }),
  };
  const descriptor = await putLeased(store, { document: index, type: MediaType.index, lease });
  await nameIt(store, name, descriptor);
  return descriptor;
}

/** Until the name is set, a collector must leave alone what it is to lead to. */
async function leaseFor(
  store: ImageDestination,
  { name }: { readonly name?: string | undefined },
): Promise<Lease | undefined> {
  return name === undefined ? undefined : store.lease?.({ purpose: `writing ${name}` });
}

async function putLeased(
  store: ImageDestination,
  {
    document,
    type,
    lease,
  }: { readonly document: object; readonly type: string; readonly lease: Lease | undefined },
): Promise<Descriptor> {
  const bytes = encodeJson(document);
  await lease?.add([digestBytes(bytes)]);
  return store.put(bytes, { mediaType: type });
}

async function writeLayer(store: ImageDestination, { descriptor, bytes }: ImageLayer): Promise<void> {
  if ((await store.size(descriptor.digest)) === descriptor.size) return;
  if (bytes === undefined) throw blobNotFound(descriptor.digest, 'the store');
  await store.put(bytes, { mediaType: descriptor.mediaType });
}

function configOf(options: WriteImageOptions, platform: Platform): ImageConfig {
  const { layers, config, author, history } = options;
  const created = timestamp(options.created ?? 0);
  return {
    ...platform,
    created,
    ...(author === undefined ? {} : { author }),
    ...(config === undefined ? {} : { config }),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: history ?? layers.map(({ createdBy = 'oci build' }) => ({ created, created_by: createdBy })),
  };
}

/** RFC 3339 without a fraction, as far as there is none. */
function timestamp(time: number | Date): string {
  const date = typeof time === 'number' ? new Date(time * 1000) : time;
  return date.toISOString().replace('.000Z', 'Z');
}

async function nameIt(
  store: ImageDestination,
  name: string | undefined,
  descriptor: Descriptor,
): Promise<void> {
  if (name === undefined) return;
  if (store.tag === undefined) throw new TypeError(`the store has no names, so ${name} cannot be one`);
  await store.tag(name, descriptor);
}

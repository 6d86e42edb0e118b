import type { Descriptor } from '../descriptor.ts';
import { encodeJson } from '../json/encode.ts';
import type { ImageConfig, Manifest } from '../manifest/types.ts';
import { MediaType } from '../media-types.ts';
import type { ImageSource } from '../source.ts';
import { blobNotFound } from '../store/blobs.ts';
import type { ContentStore } from '../store/content-store.ts';
import { platformOf } from '../store/load-image.ts';
import type { ImageStore } from '../store/store.ts';
import type { DraftLayer, ImageDraft } from './draft.ts';

/** Where an edited image goes. */
export type EditDestination = Pick<ContentStore, 'put' | 'size' | 'ingest'> & Pick<ImageStore, 'tag'>;

/** Options of {@link writeDraft}. */
export interface WriteDraftOptions {
  /** Images that have the layers which are not in the store; they are copied as they are, never compressed anew. */
  readonly sources?: readonly Pick<ImageSource, 'openBlob' | 'manifest'>[] | undefined;
  /** The name that the image gets. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes an edited image into a store: missing layers, config, manifest, and then the name. The same draft gives the
 * same digest. Returns the manifest's descriptor, with the platform. Throws ERR_OCI_BLOB_NOT_FOUND for a layer that
 * nobody has, and what sources and store throw.
 */
export async function writeDraft(
  store: EditDestination,
  { manifest: rest, config, layers }: ImageDraft,
  { sources = [], name, signal }: WriteDraftOptions = {},
): Promise<Descriptor> {
  for (const layer of layers) await bringLayer(store, layer, { sources, signal });
  signal?.throwIfAborted();
  const complete: ImageConfig = {
    ...config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const written = await store.put(encodeJson(complete), { mediaType: MediaType.config });
  const manifest: Manifest = {
    ...rest,
    mediaType: MediaType.manifest,
    config: written,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const described = await store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
  const descriptor = { ...described, platform: platformOf(complete) };
  if (name !== undefined) await store.tag(name, descriptor);
  return descriptor;
}

async function bringLayer(
  store: EditDestination,
  { descriptor }: DraftLayer,
  { sources, signal }: Required<Pick<WriteDraftOptions, 'sources'>> & Pick<WriteDraftOptions, 'signal'>,
): Promise<void> {
  const { digest, size } = descriptor;
  if ((await store.size(digest)) === size) return;
  const holder = sources?.find(({ manifest }) => manifest.layers.some((layer) => layer.digest === digest));
  // Content that may not be distributed is fetched from elsewhere, by whoever unpacks the image.
  if (descriptor.urls !== undefined && descriptor.urls.length > 0) return;
  if (holder === undefined) throw blobNotFound(digest, 'the store');
  await using ingest = await store.ingest(descriptor, { signal });
  if ((await store.size(digest)) === size) return;
  await ingest.reset();
  for await (const chunk of holder.openBlob(descriptor, { signal })) await ingest.write(chunk);
  await ingest.commit();
}

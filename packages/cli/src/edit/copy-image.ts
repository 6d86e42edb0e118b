import type { ImageSource, Store } from '@ocijs/image';

/** Brings an image into a store as it is, byte for byte, without a name; what is there already is not read again. */
export async function copyImage(
  image: ImageSource,
  store: Store,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { manifest, descriptor, rawConfig, rawManifest } = image;
  for (const layer of manifest.layers) {
    if ((await store.size(layer.digest)) === layer.size) continue;
    await using ingest = await store.ingest(layer, { signal });
    await ingest.reset();
    for await (const chunk of image.openBlob(layer, { signal })) await ingest.write(chunk);
    await ingest.commit();
  }
  await store.put(rawConfig, { mediaType: manifest.config.mediaType });
  await store.put(rawManifest, { mediaType: descriptor.mediaType });
}

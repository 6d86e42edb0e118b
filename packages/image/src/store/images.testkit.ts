import { utimes } from 'node:fs/promises';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import type { ImageStore, Store } from './store.ts';

/** A small image whose layers hold the given texts: layers of equal text are equal blobs. */
export async function textImage(
  store: ImageStore,
  texts: readonly string[],
  { name, author }: { readonly name?: string; readonly author?: string } = {},
): Promise<Descriptor> {
  const layers = await Promise.all(
    texts.map((text) =>
      buildLayer([{ header: { name: 'text', type: 'file', mode: 0o644 }, body: Buffer.from(text) }]),
    ),
  );
  return writeImage(store, { layers, name, author: author ?? texts.join() });
}

/** All blobs of an image. */
export async function digestsOf(store: Store, descriptor: Descriptor): Promise<readonly Digest[]> {
  const { manifest } = await store.image(descriptor);
  return [descriptor.digest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)];
}

/** Makes blobs look as if they had been stored days ago. */
export async function makeOld(store: Store, digests: Iterable<Digest>): Promise<void> {
  const old = new Date(Date.now() - 3 * 86_400_000);
  for (const digest of digests) await utimes(store.file(digest), old, old);
}

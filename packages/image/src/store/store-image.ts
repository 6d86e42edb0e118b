import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import type { ImageSource } from '../source.ts';
import { fullName } from '../transport/names.ts';
import { REF_NAME } from './layout-index.ts';
import { loadImage } from './load-image.ts';
import type { ImageStore, OpenImageOptions, Store } from './store.ts';

/** Opens an image of a store by name or descriptor; what {@link ImageStore.image} promises. */
export async function imageFromStore(
  store: Pick<ImageStore, 'read' | 'readAll' | 'file' | 'list' | 'resolve'> & Pick<Store, 'listings'>,
  name: string | Descriptor,
  options: OpenImageOptions = {},
): Promise<ImageSource> {
  options.signal?.throwIfAborted();
  if (typeof name !== 'string')
    return loadImage(store, name, { name: name.annotations?.[REF_NAME], ...options });
  const descriptor = (await store.resolve(name)) ?? (await resolveFullName(store, name));
  if (descriptor !== undefined) return loadImage(store, descriptor, { name, ...options });
  throw new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name} is not in the store`, {
    reference: name,
    hint: await nameHint(store),
  });
}

/** What was pulled as `busybox` is called `docker.io/library/busybox:latest`. */
async function resolveFullName(
  store: Pick<ImageStore, 'resolve'>,
  name: string,
): Promise<Descriptor | undefined> {
  const full = fullName(name);
  return full === undefined || full === name ? undefined : await store.resolve(full);
}

const NAMES_IN_HINT = 5;

async function nameHint(store: Pick<ImageStore, 'list'>): Promise<string> {
  const names = (await store.list()).map((image) => image.name);
  if (names.length === 0) return 'it has no named image; pull one first';
  const shown = names.slice(0, NAMES_IN_HINT).join(', ');
  const more = names.length > NAMES_IN_HINT ? `, and ${names.length - NAMES_IN_HINT} more` : '';
  return `pull it first; there ${names.length === 1 ? 'is' : 'are'} ${shown}${more}`;
}

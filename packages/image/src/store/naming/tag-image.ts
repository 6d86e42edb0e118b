import { ImageError } from '../../errors.ts';
import { formatReference, parseReference } from '../../reference/reference.ts';
import type { NamedImage, Store } from '../store.ts';
import { findImages, imageNotFound } from './find-images.ts';

/**
 * Gives an image of the store one more name, as `docker tag` does. The source is what {@link findImages} takes, the
 * target a reference without digest; what the target named before loses that name.
 *
 * Throws ERR_OCI_IMAGE_NOT_FOUND, ERR_OCI_REFERENCE_INVALID.
 */
export async function tagImage(
  store: Pick<Store, 'list' | 'tag'>,
  source: string,
  { target, signal }: { readonly target: string; readonly signal?: AbortSignal | undefined },
): Promise<NamedImage> {
  signal?.throwIfAborted();
  const reference = parseReference(target);
  if (reference.digest !== undefined)
    throw new ImageError('ERR_OCI_REFERENCE_INVALID', `${target} has a digest and cannot be a new name`, {
      reference: target,
      hint: 'leave the digest out: it follows from the image',
    });
  const [image] = await findImages(store, source);
  if (image === undefined) throw imageNotFound(source);
  signal?.throwIfAborted();
  const name = formatReference(reference);
  await store.tag(name, image.descriptor);
  return { name, descriptor: image.descriptor };
}

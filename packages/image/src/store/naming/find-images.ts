import { ImageError, isOciError } from '../../errors.ts';
import { formatReference, parseReference } from '../../reference/reference.ts';
import type { NamedImage, Store } from '../store.ts';

/**
 * Finds what a person means: the image of a name, in the form in which the store has it or in a shorter one
 * (`debian` for `docker.io/library/debian:latest`), else all names of the image whose digest begins as typed
 * (`sha256:…`, or at least 12 hexadecimal digits). Empty when there is none.
 *
 * Throws ERR_OCI_REFERENCE_INVALID for a text that is neither, and for a digest that begins several images.
 */
export async function findImages(store: Pick<Store, 'list'>, typed: string): Promise<readonly NamedImage[]> {
  const images = await store.list();
  const exact = images.find(({ name }) => name === typed);
  if (exact !== undefined) return [exact];
  const byDigest = digestPrefix(typed);
  const name = canonicalName(typed, { mayFail: byDigest !== undefined });
  const named = images.find((image) => image.name === name);
  if (named !== undefined || byDigest === undefined) return named === undefined ? [] : [named];
  const found = images.filter(({ descriptor }) => byDigest(descriptor.digest));
  if (found.every(({ descriptor }) => descriptor.digest === found[0]?.descriptor.digest)) return found;
  throw new ImageError('ERR_OCI_REFERENCE_INVALID', `several images begin with ${typed}`, {
    reference: typed,
    hint: 'type more of the digest',
  });
}

/** The error for an image that {@link findImages} did not find. */
export function imageNotFound(typed: string): ImageError {
  return new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `image ${typed} is not in the store`, {
    reference: typed,
    hint: 'see `oci images`',
  });
}

function digestPrefix(typed: string): ((digest: string) => boolean) | undefined {
  if (/^[a-z0-9]+:[0-9a-f]{12,}$/.test(typed)) return (digest) => digest.startsWith(typed);
  if (/^[0-9a-f]{12,}$/.test(typed))
    return (digest) => digest.slice(digest.indexOf(':') + 1).startsWith(typed);
  return undefined;
}

function canonicalName(typed: string, { mayFail }: { readonly mayFail: boolean }): string | undefined {
  try {
    return formatReference(parseReference(typed));
  } catch (error) {
    if (mayFail && isOciError(error, 'ERR_OCI_REFERENCE_INVALID')) return undefined;
    throw error;
  }
}

import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { ImageError } from '../errors.ts';
import type { ImageCollection } from './collection.ts';
import { isNamed, namesOf } from './names.ts';

/** Which image of a collection is meant. Without anything: the only one. */
export interface ImageSelector {
  readonly name?: string | undefined;
  readonly digest?: Digest | undefined;
  /** Its place among the images, from 0; skopeo's `:@N`. */
  readonly position?: number | undefined;
}

/**
 * Finds an image of an archive or directory. Throws ERR_OCI_IMAGE_NOT_FOUND when there is none, or more than one to
 * choose from, with what there is in the hint.
 */
export async function selectImage(
  collection: Pick<ImageCollection, 'location' | 'entries'>,
  { name, digest, position }: ImageSelector = {},
): Promise<Descriptor> {
  const entries = await collection.entries();
  const found = entries
    .filter((_entry, index) => position === undefined || index === position)
    .filter((entry) => name === undefined || isNamed(entry, name))
    .filter((entry) => digest === undefined || entry.digest === digest);
  const [first] = found;
  if (first !== undefined && found.every((entry) => entry.digest === first.digest)) return first;
  const wanted = [name, position === undefined ? undefined : `number ${position}`, digest]
    .filter((part) => part !== undefined)
    .join('@');
  const problem = first === undefined ? 'has no image' : 'has more than one image';
  const names = entries.flatMap((entry) => namesOf(entry).slice(0, 1));
  throw new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `${collection.location} ${problem} ${wanted}`.trimEnd(), {
    path: collection.location,
    ...(wanted === '' ? {} : { reference: wanted }),
    hint:
      names.length === 0
        ? `it has ${entries.length} images without a name; choose one by its place, :@0 is the first`
        : `choose one of ${names.slice(0, 10).join(', ')}`,
  });
}

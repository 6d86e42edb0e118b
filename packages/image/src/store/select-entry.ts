import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { ImageError } from '../errors.ts';
import type { Store } from './store.ts';

/** Which entry of a layout is meant: `oci:DIR:NAME`, `oci:DIR@DIGEST`, or `oci:DIR` for the only one. */
export interface EntrySelector {
  readonly name?: string | undefined;
  readonly digest?: Digest | undefined;
}

/**
 * Finds an entry of a layout. Without name and digest the layout must have exactly one; name and digest together
 * must agree. Throws ERR_OCI_IMAGE_NOT_FOUND, with what there is in the hint.
 */
export async function selectEntry(
  store: Pick<Store, 'directory' | 'entries' | 'list'>,
  { name, digest }: EntrySelector = {},
): Promise<Descriptor> {
  const named = await store.list();
  const pool =
    name === undefined
      ? await store.entries()
      : named.filter((image) => image.name === name).map(({ descriptor }) => descriptor);
  const found = digest === undefined ? pool : pool.filter((entry) => entry.digest === digest);
  const [first] = found;
  const meantAlike = found.every((entry) => entry.digest === first?.digest);
  if (first !== undefined && meantAlike) return first;
  const wanted = [name, digest].filter((part) => part !== undefined).join('@');
  const problem = first === undefined ? 'has no image' : 'has more than one image';
  const names = named.map((image) => image.name);
  throw new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `${store.directory} ${problem} ${wanted}`.trimEnd(), {
    path: store.directory,
    ...(wanted === '' ? {} : { reference: wanted }),
    hint:
      names.length === 0
        ? 'none of its images has a name; choose one by digest'
        : `choose one of ${names.slice(0, 10).join(', ')}`,
  });
}

import { type ImageSource, readImageTree } from '@ocijs/image';

/** The C library of an image: musl where its loader is, else glibc. The headers of the layers are read, and nothing is unpacked. */
export async function libcOf(
  image: ImageSource,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<'glibc' | 'musl'> {
  const root = await readImageTree(image, { signal });
  const places = [root.children?.get('lib'), root.children?.get('usr')?.children?.get('lib')];
  const isMusl = places.some((place) =>
    [...(place?.children?.keys() ?? [])].some((name) => name.startsWith('ld-musl-')),
  );
  return isMusl ? 'musl' : 'glibc';
}

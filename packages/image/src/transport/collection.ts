import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { verifiedStream } from '../digest/verify.ts';
import type { ReadBlobOptions } from '../source.ts';
import { blobNotFound, collect } from '../store/blobs.ts';
import type { ImageStore } from '../store/store.ts';
import { imageFromStore } from '../store/store-image.ts';
import { isNamed, namesOf } from './names.ts';

/** Images that can be read, wherever they are: the reading half of an {@link ImageStore}. */
export interface ImageCollection
  extends Pick<ImageStore, 'size' | 'read' | 'readAll' | 'entries' | 'list' | 'resolve' | 'image'>,
    AsyncDisposable {
  /** The file or directory, for messages. */
  readonly location: string;
}

/** Where the bytes of a blob are. Nothing of them is verified yet. */
export interface BlobPlace {
  /** In bytes. */
  readonly size: number;
  open(options: ReadBlobOptions): AsyncIterable<Uint8Array>;
}

/** What {@link imageCollection} is made of. */
export interface CollectionParts {
  readonly location: string;
  readonly entries: readonly Descriptor[];
  find(digest: Digest): BlobPlace | undefined | Promise<BlobPlace | undefined>;
  close(): Promise<void>;
}

/** A collection over entries and a way to find blobs: every blob is read through the gate. */
export function imageCollection({ location, entries, find, close }: CollectionParts): ImageCollection {
  async function* read(descriptor: Descriptor, options: ReadBlobOptions = {}): AsyncGenerator<Uint8Array> {
    options.signal?.throwIfAborted();
    const { digest, size } = descriptor;
    const place = await find(digest);
    if (place === undefined) throw blobNotFound(digest, location);
    yield* verifiedStream(place.open(options), { digest, size, signal: options.signal });
  }
  const list: ImageStore['list'] = async () =>
    entries.flatMap((descriptor) => {
      const [name] = namesOf(descriptor);
      return name === undefined ? [] : [{ name, descriptor }];
    });
  const resolve: ImageStore['resolve'] = async (name) =>
    entries.find((descriptor) => isNamed(descriptor, name));
  const collection: ImageCollection = {
    location,
    size: async (digest) => (await find(digest))?.size,
    read,
    readAll: (descriptor, options) => collect(descriptor, read, options),
    entries: async () => entries,
    list,
    resolve,
    image: (name, options) =>
      imageFromStore({ read, readAll: collection.readAll, list, resolve }, name, options),
    [Symbol.asyncDispose]: close,
  };
  return collection;
}

import {
  type Descriptor,
  type Digest,
  findReferrers,
  formatReference,
  type ImageCollection,
  ImageError,
  type ImageStore,
  openArchive,
  openDirectory,
  openLayout,
  parseReference,
  type ReadableContent,
  type ReferrerPlace,
  type Referrers,
  selectEntry,
  selectImage,
} from '@ocijs/image';
import { hasBlob } from '../blobs.ts';
import type { RegistryOptions } from '../options.ts';
import { fetchReferrers } from '../referrers.ts';
import { findTag, resolve } from '../resolve.ts';
import { pullPolicy } from '../signature/policy/pull-policy.ts';
import { type CopySourceLocation, formatLocation } from './location.ts';
import { atPlaces, openPlaces, placesContent, type RemotePlaces } from './remote-places.ts';

/** An open place that one image is read from. */
export interface CopySource extends AsyncDisposable {
  /** For reports and messages. */
  readonly name: string;
  /** What the name stands for: a manifest or an index. */
  readonly top: Descriptor;
  readonly content: ReadableContent;
  /** Whether a blob is there; asked only of what need not be. */
  has(descriptor: Descriptor): Promise<boolean>;
  /** Throws unless the signature policy of this machine lets in what was chosen. */
  admit(manifests: readonly Digest[]): Promise<void>;
  /** What refers to a manifest or index, unverified. */
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
  /** What has a tag beside the image. */
  sibling(tag: string): Promise<Descriptor | undefined>;
  /** The registry it is in: for mounts, and for downloads that go on where they broke. */
  readonly remote?: RemotePlaces;
  /** True for the error of a read that goes to another place when it is repeated. */
  isWorthRepeating?(error: unknown): boolean;
}

/** Opens a place and finds the image that is meant. */
export async function openSource(
  location: CopySourceLocation,
  options: RegistryOptions,
): Promise<CopySource> {
  const { signal } = options;
  const name = formatLocation(location);
  switch (location.transport) {
    case 'registry':
      return remoteSource(location, options);
    case 'store': {
      const { store } = location;
      const { registry, repository } = parseReference(location.name);
      return storeSource(store, {
        name,
        top: await findStored(store, location.name),
        tagName: (tag) => formatReference({ registry, repository, tag }),
      });
    }
    case 'oci': {
      const store = await openLayout(location.directory, { signal });
      const top = await selectEntry(store, location);
      return storeSource(store, { name, top, dispose: () => store[Symbol.asyncDispose]() });
    }
    case 'dir':
      return collectionSource(await openDirectory(location.directory, { signal }), { name, location: {} });
    default: {
      const format = location.transport === 'oci-archive' ? 'oci' : 'docker';
      const what = typeof location.file === 'string' ? {} : { location: 'standard input' };
      const archive = await openArchive(location.file, { ...what, format, signal });
      return collectionSource(archive, { name, location });
    }
  }
}

async function remoteSource(
  { reference: asked }: CopySourceLocation & { readonly transport: 'registry' },
  options: RegistryOptions,
): Promise<CopySource> {
  const reference = typeof asked === 'string' ? parseReference(asked) : asked;
  const { signal } = options;
  const policy = await pullPolicy(reference, options);
  const places = await openPlaces(reference, options);
  try {
    const resolved = await atPlaces(places, (place) =>
      resolve(place.session, { reference: place.reference, signal }),
    );
    const content = placesContent(places, resolved);
    return {
      name: formatReference(reference),
      top: resolved.descriptor,
      content,
      admit: (manifests) => {
        const { digest } = resolved.descriptor;
        return atPlaces(places, ({ session, repository }) =>
          policy.admit(session, { repository, digest, manifests, signal }),
        );
      },
      has: (descriptor) =>
        atPlaces(places, ({ session, repository }) => hasBlob(session, { repository, descriptor, signal })),
      async referrers(digest) {
        const list = await atPlaces(places, ({ session, repository }) =>
          fetchReferrers(session, { repository, digest, signal }),
        );
        return list.referrers;
      },
      sibling: (tag) =>
        atPlaces(places, ({ session, repository }) => findTag(session, { repository, tag, signal })),
      remote: places,
      isWorthRepeating: content.isWorthRepeating,
      [Symbol.asyncDispose]: () => places[Symbol.asyncDispose](),
    };
  } catch (error) {
    await places[Symbol.asyncDispose]();
    throw error;
  }
}

/** The name as it is typed, else the full reference. */
async function findStored(store: ImageStore, name: string): Promise<Descriptor> {
  const found = (await store.resolve(name)) ?? (await store.resolve(formatReference(parseReference(name))));
  if (found !== undefined) return found;
  throw new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name} is not in the store`, {
    reference: name,
    hint: 'oci images lists what is there',
  });
}

interface StoreSourceOptions {
  readonly name: string;
  readonly top: Descriptor;
  /** How a tag beside the image is named there. */
  readonly tagName?: (tag: string) => string;
  readonly dispose?: () => PromiseLike<void>;
}

/** One image of a store, layout or archive; which stays open, unless told otherwise. */
export function storeSource(
  store: Omit<ImageCollection, 'location'> & ReferrerPlace,
  { name, top, tagName = (tag) => tag, dispose = async () => undefined }: StoreSourceOptions,
): CopySource {
  let referrers: Promise<Referrers> | undefined;
  return {
    name,
    top,
    content: store,
    admit: async () => undefined,
    async referrers(subject) {
      referrers ??= findReferrers(store);
      return (await referrers).get(subject) ?? [];
    },
    sibling: (tag) => store.resolve(tagName(tag)),
    has: async ({ digest }) => (await store.size(digest)) !== undefined,
    [Symbol.asyncDispose]: dispose,
  };
}

async function collectionSource(
  collection: ImageCollection,
  {
    name,
    location,
  }: {
    readonly name: string;
    readonly location: {
      readonly name?: string | undefined;
      readonly digest?: Digest | undefined;
      readonly position?: number | undefined;
    };
  },
): Promise<CopySource> {
  try {
    const top = await selectImage(collection, location);
    return storeSource(collection, { name, top, dispose: () => collection[Symbol.asyncDispose]() });
  } catch (error) {
    await collection[Symbol.asyncDispose]();
    throw error;
  }
}

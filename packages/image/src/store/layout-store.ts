import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import { blobNotFound, blobSize, collect, readBlob } from './blobs.ts';
import { tidyLayout } from './create-layout.ts';
import { inStore } from './failure.ts';
import { readIndexFile, updateIndexFile } from './index-file.ts';
import { openIngest } from './ingest/ingest.ts';
import { blobPath, type LayoutFiles } from './layout-files.ts';
import type { LayoutIndex } from './layout-index.ts';
import { checkName, findName, namedEntries, withName, withoutName } from './layout-index.ts';
import { openLease } from './lease/lease.ts';
import { storeListings } from './listings.ts';
import type { Store } from './store.ts';
import { imageFromStore } from './store-image.ts';

/** The store over the files of an image layout. */
export function layoutStore(files: LayoutFiles): Store {
  const { directory } = files;
  const index = (): Promise<LayoutIndex> => inStore(directory, () => readIndexFile(files));
  let wrote = false;
  const ingestBlob: Store['ingest'] = (descriptor, options) => {
    wrote = true;
    return openIngest(files, descriptor, options);
  };
  let lastUpdate: Promise<unknown> = Promise.resolve();
  // One after the other within this store, so that they don't compete for the lock between processes.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    wrote = true;
    const next = () => inStore(directory, work);
    const done = lastUpdate.then(next, next);
    lastUpdate = done;
    return done;
  };
  const update = (change: Parameters<typeof updateIndexFile>[1]): Promise<LayoutIndex> =>
    inTurn(() => updateIndexFile(files, change));

  const store: Store = {
    directory,
    ...(files.privacy === 'private' ? { listings: storeListings(files) } : {}),
    size: (digest) => blobSize(files, digest),
    read: (descriptor, options) => readBlob(files, descriptor, options),
    readAll: (descriptor, options) => collect(descriptor, store.read, options),
    ingest: ingestBlob,
    file: (digest) => blobPath(files, digest),
    async put(bytes, { mediaType }) {
      const descriptor: Descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
      await using ingest = await ingestBlob(descriptor);
      // When it is there already, the ingest has made it young; else what an earlier run left is of no use.
      if ((await blobSize(files, descriptor.digest)) === descriptor.size) return descriptor;
      await ingest.reset();
      await ingest.write(bytes);
      await ingest.commit();
      return descriptor;
    },
    entries: async () => (await index()).entries.map(({ descriptor }) => descriptor),
    list: async () => namedEntries(await index()),
    resolve: async (name) => findName(await index(), name),
    async tag(name, descriptor) {
      checkName(name);
      // A warm pull names what has the name: that needs no lock, and nothing synced to the disk.
      const now = await index();
      if (withName(now, name, descriptor) === now && (await blobSize(files, descriptor.digest)) !== undefined)
        return;
      await update(async (before) => {
        // Under the lock: a collector cannot take the blob away between the look and the name.
        if ((await blobSize(files, descriptor.digest)) === undefined)
          throw blobNotFound(descriptor.digest, directory);
        return withName(before, name, descriptor);
      });
    },
    async untag(name) {
      const before = await update((found) =>
        findName(found, name) === undefined ? found : withoutName(found, name),
      );
      return findName(before, name) !== undefined;
    },
    async lease(options) {
      const lease = await inTurn(() => openLease(files, options));
      return {
        add: (digests) => inTurn(() => lease.add(digests)),
        [Symbol.asyncDispose]: () => inStore(directory, () => lease[Symbol.asyncDispose]()),
      };
    },
    image: (name, options) => imageFromStore(store, name, options),
    async [Symbol.asyncDispose]() {
      if (wrote && files.privacy === 'umask') await inStore(directory, () => tidyLayout(files));
    },
  };
  return store;
}

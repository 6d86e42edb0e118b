import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import { blobNotFound, blobSize, collect, readBlob } from './blobs.ts';
import { tidyLayout } from './create-layout.ts';
import { inStore } from './failure.ts';
import { readIndexFile, updateIndexFile } from './index-file.ts';
import { openIngest } from './ingest.ts';
import { blobPath, type LayoutFiles } from './layout-files.ts';
import type { LayoutIndex } from './layout-index.ts';
import { checkName, findName, namedEntries, withName, withoutName } from './layout-index.ts';
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
  const update = (change: (index: LayoutIndex) => LayoutIndex): Promise<LayoutIndex> => {
    wrote = true;
    const next = () => inStore(directory, () => updateIndexFile(files, change));
    const done = lastUpdate.then(next, next);
    lastUpdate = done;
    return done;
  };

  const store: Store = {
    directory,
    size: (digest) => blobSize(files, digest),
    read: (descriptor, options) => readBlob(files, descriptor, options),
    readAll: (descriptor, options) => collect(descriptor, store.read, options),
    ingest: ingestBlob,
    file: (digest) => blobPath(files, digest),
    async put(bytes, { mediaType }) {
      const descriptor: Descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
      if ((await blobSize(files, descriptor.digest)) === descriptor.size) return descriptor;
      await using ingest = await ingestBlob(descriptor);
      // Another process stored it while we waited; else what an earlier run left is of no use.
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
      if ((await blobSize(files, descriptor.digest)) === undefined)
        throw blobNotFound(descriptor.digest, directory);
      await update((before) => withName(before, name, descriptor));
    },
    async untag(name) {
      const before = await update((found) =>
        findName(found, name) === undefined ? found : withoutName(found, name),
      );
      return findName(before, name) !== undefined;
    },
    image: (name, options) => imageFromStore(store, name, options),
    async [Symbol.asyncDispose]() {
      if (wrote && files.privacy === 'umask') await inStore(directory, () => tidyLayout(files));
    },
  };
  return store;
}

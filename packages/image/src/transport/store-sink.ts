import type { Descriptor } from '../descriptor.ts';
import { verifyBytes } from '../digest/verify.ts';
import type { Lease } from '../store/lease/lease.ts';
import type { ImageStore } from '../store/store.ts';
import type { ImageSink } from './sink.ts';

/** The name of an image in a layout that nobody gave a name; umoci calls it so too. */
const DEFAULT_NAME = 'latest';

/** Writes images into a store or an image layout. The store stays open. */
export function storeSink(
  store: ImageStore,
  { location = 'the store' }: { readonly location?: string } = {},
): ImageSink {
  let lease: Promise<Lease> | undefined;
  /** Nothing refers to what is being written yet: a collector must leave it alone until it has its name. */
  const protect = async ({ digest }: Descriptor): Promise<void> => {
    lease ??= store.lease({ purpose: `copy into ${location}` });
    await (await lease).add([digest]);
  };
  const named: { readonly name: string; readonly descriptor: Descriptor }[] = [];
  return {
    location,
    sequential: false,
    async has(descriptor) {
      await protect(descriptor);
      return (await store.size(descriptor.digest)) === descriptor.size;
    },
    async writeBlob(descriptor, source, { signal } = {}) {
      await protect(descriptor);
      await using ingest = await store.ingest(descriptor, { signal });
      if ((await store.size(descriptor.digest)) === descriptor.size) return;
      await ingest.reset();
      for await (const chunk of source) {
        signal?.throwIfAborted();
        await ingest.write(chunk);
      }
      await ingest.commit();
    },
    async writeManifest(descriptor, bytes) {
      verifyBytes(bytes, descriptor);
      await protect(descriptor);
      if ((await store.size(descriptor.digest)) === descriptor.size) return;
      await using ingest = await store.ingest(descriptor);
      await ingest.reset();
      await ingest.write(bytes);
      await ingest.commit();
    },
    async add(descriptor, name = DEFAULT_NAME) {
      named.push({ name, descriptor });
    },
    async commit() {
      for (const { name, descriptor } of named.splice(0)) await store.tag(name, descriptor);
    },
    async [Symbol.asyncDispose]() {
      const taken = lease;
      lease = undefined;
      await (await taken)?.[Symbol.asyncDispose]();
    },
  };
}

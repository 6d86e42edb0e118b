import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestAlgorithm } from '../digest/digest.ts';
import { digestBytes } from '../digest/hasher.ts';
import { verifiedStream } from '../digest/verify.ts';
import { ImageError } from '../errors.ts';
import { blobNotFound, collect } from './blobs.ts';
import type { Ingest } from './content-store.ts';
import {
  checkName,
  emptyLayoutIndex,
  findName,
  type LayoutIndex,
  namedEntries,
  withName,
  withoutName,
} from './layout-index.ts';
import type { ImageStore } from './store.ts';
import { imageFromStore } from './store-image.ts';

const WHERE = 'the store in memory';

/** What one ingest has so far; stays for the next one when it is not committed. */
interface PartialBytes {
  chunks: Uint8Array[];
  offset: number;
}

/** A store that lives as long as the process: for programs that build images on the fly, and for tests. */
export function createMemoryStore(): ImageStore {
  const blobs = new Map<Digest, Uint8Array>();
  const partials = new Map<Digest, PartialBytes>();
  const writers = new Map<Digest, Promise<void>>();
  let index: LayoutIndex = emptyLayoutIndex;

  const store: ImageStore = {
    size: async (digest) => blobs.get(digest)?.length,
    async *read({ digest, size }, { signal } = {}) {
      signal?.throwIfAborted();
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw blobNotFound(digest, WHERE);
      yield* verifiedStream(chunksOf(bytes), { digest, size, signal });
    },
    readAll: (descriptor, options) => collect(descriptor, store.read, options),
    async ingest(descriptor, { signal } = {}) {
      const { digest } = descriptor;
      digestAlgorithm(digest);
      signal?.throwIfAborted();
      for (let other = writers.get(digest); other !== undefined; other = writers.get(digest))
        await unlessAborted(other, signal);
      const { promise, resolve } = Promise.withResolvers<void>();
      writers.set(digest, promise);
      const release = (): void => {
        writers.delete(digest);
        resolve();
      };
      return memoryIngest(descriptor, { blobs, partials, release });
    },
    async put(bytes, { mediaType }) {
      const descriptor: Descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
      blobs.set(descriptor.digest, Uint8Array.from(bytes));
      return descriptor;
    },
    entries: async () => index.entries.map(({ descriptor }) => descriptor),
    list: async () => namedEntries(index),
    resolve: async (name) => findName(index, name),
    async tag(name, descriptor) {
      checkName(name);
      if (!blobs.has(descriptor.digest)) throw blobNotFound(descriptor.digest, WHERE);
      index = withName(index, name, descriptor);
    },
    async untag(name) {
      const found = findName(index, name) !== undefined;
      index = withoutName(index, name);
      return found;
    },
    // Nothing collects garbage here.
    async lease({ signal }) {
      signal?.throwIfAborted();
      return { add: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
    },
    image: (name, options) => imageFromStore(store, name, options),
    async [Symbol.asyncDispose]() {
      blobs.clear();
      partials.clear();
    },
  };
  return store;
}

/** Pieces of a blob as a file would give them; copies, since the reader may change what it gets. */
async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const step = 256 * 1024;
  for (let start = 0; start < bytes.length; start += step) yield bytes.slice(start, start + step);
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

interface MemoryIngestState {
  readonly blobs: Map<Digest, Uint8Array>;
  readonly partials: Map<Digest, PartialBytes>;
  readonly release: () => void;
}

function memoryIngest({ digest, size }: Descriptor, { blobs, partials, release }: MemoryIngestState): Ingest {
  let present = blobs.get(digest)?.length === size;
  let ended = false;
  const partial = partials.get(digest) ?? { chunks: [], offset: 0 };
  const assertOpen = (): void => {
    if (ended) throw new TypeError(`the ingest of ${digest} has ended`);
  };
  const mismatch = (actual: number): ImageError =>
    new ImageError('ERR_OCI_SIZE_MISMATCH', `blob ${digest} has ${actual} bytes instead of ${size}`, {
      digest,
      expected: size,
      actual,
    });
  const ingest: Ingest = {
    get offset() {
      return present ? size : partial.offset;
    },
    async write(bytes) {
      assertOpen();
      const chunks = bytes instanceof Uint8Array ? [bytes] : bytes;
      const end = chunks.reduce((sum, { length }) => sum + length, ingest.offset);
      if (end > size) throw mismatch(end);
      if (present) return;
      partial.chunks.push(...chunks.map((chunk) => Uint8Array.from(chunk)));
      partial.offset = end;
      partials.set(digest, partial);
    },
    async reset() {
      assertOpen();
      present = false;
      partial.chunks = [];
      partial.offset = 0;
    },
    async commit() {
      assertOpen();
      if (!present) {
        if (partial.offset !== size) throw mismatch(partial.offset);
        const bytes = new Uint8Array(Buffer.concat(partial.chunks));
        const actual = digestBytes(bytes, digestAlgorithm(digest));
        await ingest.reset();
        if (actual !== digest)
          throw new ImageError('ERR_OCI_DIGEST_MISMATCH', `blob ${digest} has other content: ${actual}`, {
            digest,
            expected: digest,
            actual,
          });
        partials.delete(digest);
        blobs.set(digest, bytes);
      }
      await ingest[Symbol.asyncDispose]();
    },
    async [Symbol.asyncDispose]() {
      if (ended) return;
      ended = true;
      release();
    },
  };
  return ingest;
}

import {
  type Descriptor,
  formatReference,
  hostPlatform,
  ImageError,
  type ImageSource,
  type ImageStore,
  type Index,
  isIndexType,
  isOciError,
  type OnEvent,
  type Platform,
  parseReference,
  selectPlatform,
} from '@ocijs/image';
import { isForeign } from './blobs.ts';
import { RegistryError } from './errors.ts';
import { blobsOf, chooseAll, type ImageGraph, walkGraph } from './graph.ts';
import { limits } from './limits.ts';
import { uploadFileChunks } from './upload-file.ts';

/** What is pushed: a complete graph and where the bytes of its blobs are. */
export interface PushSource {
  readonly top: Descriptor;
  readonly graph: ImageGraph;
  /** Of an image of one platform. */
  readonly platform: Platform | undefined;
  open(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** The same in chunks that are only good until a few more were read. */
  openPassing?(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** False only for a non-distributable layer that nobody need have. */
  has(descriptor: Descriptor): Promise<boolean>;
}

/** How a source is chosen and read. */
export interface PushSourceOptions {
  readonly store?: ImageStore | undefined;
  readonly platform?: Platform | undefined;
  readonly allPlatforms?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** Finds what is to be pushed and makes sure that it is complete (ERR_OCI_REGISTRY_INCOMPLETE). */
export async function openPushSource(
  source: string | ImageSource | Descriptor,
  options: PushSourceOptions,
): Promise<PushSource> {
  if (typeof source !== 'string' && 'rawManifest' in source) return fromImage(source, options);
  const { store } = options;
  if (store === undefined) throw new TypeError('push needs a store, unless it is given an image');
  const named = typeof source === 'string' ? await find(store, source) : source;
  const top = isIndexType(named.mediaType) ? await chooseTop(named, { ...options, store }) : named;
  const graph = await readGraph(top, { ...options, store });
  const missing = await missingBlobs(graph, store);
  if (missing.length > 0) throw incomplete(top, missing);
  return {
    top,
    graph,
    platform: isIndexType(top.mediaType) ? undefined : top.platform,
    open: (descriptor) => store.read(descriptor, { signal: options.signal }),
    openPassing: (descriptor) => {
      const path = store.file?.(descriptor.digest);
      const isSmall = descriptor.size < limits.readAheadBytes;
      if (path === undefined || isSmall) return store.read(descriptor, { signal: options.signal });
      return uploadFileChunks(path, { descriptor, signal: options.signal });
    },
    has: async ({ digest }) => (await store.size(digest)) !== undefined,
  };
}

function fromImage(image: ImageSource, { signal }: PushSourceOptions): PushSource {
  const { descriptor, manifest, rawManifest, rawConfig, platform } = image;
  return {
    top: descriptor,
    graph: { indexes: [], manifests: [{ descriptor, manifest, bytes: rawManifest }], unknown: [] },
    platform,
    open: (blob) =>
      blob.digest === manifest.config.digest ? once(rawConfig) : image.openBlob(blob, { signal }),
    has: async () => true,
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function find(store: ImageStore, name: string): Promise<Descriptor> {
  const found = (await store.resolve(name)) ?? (await store.resolve(formatReference(parseReference(name))));
  if (found !== undefined) return found;
  throw new ImageError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name} is not in the store`, {
    reference: name,
    hint: 'oci images lists what is there',
  });
}

interface InStore extends PushSourceOptions {
  readonly store: ImageStore;
}

/**
 * The whole index when all it refers to is there. Else, since a pull brings one platform only, the host's
 * manifest, or the only one that is complete; that is announced, for the digest is another one then.
 */
async function chooseTop(top: Descriptor, options: InStore): Promise<Descriptor> {
  const { platform, allPlatforms, onEvent } = options;
  const { indexes } = await walkGraph(top, { load: loader(options), choose: () => [] });
  const index = indexes[0]?.index;
  if (index === undefined) return top;
  if (platform !== undefined) return selectPlatform(index.manifests, platform);
  const { complete, missing } = await sortEntries(index, options);
  if (missing.length === 0) return top;
  const chosen = allPlatforms ? undefined : chooseComplete(complete);
  if (chosen === undefined) throw incomplete(top, missing);
  const message =
    `${missing.length} of ${index.manifests.length} entries of ${top.digest} are not in the store; ` +
    `pushing only ${chosen.digest}`;
  onEvent?.({ type: 'warning', code: 'INDEX_INCOMPLETE', message });
  return chosen;
}

async function sortEntries(
  index: Index,
  options: InStore,
): Promise<{ readonly complete: readonly Descriptor[]; readonly missing: readonly Descriptor[] }> {
  const complete: Descriptor[] = [];
  const missing: Descriptor[] = [];
  for (const entry of index.manifests) {
    ((await isComplete(entry, options)) ? complete : missing).push(entry);
  }
  return { complete, missing };
}

async function isComplete(entry: Descriptor, options: InStore): Promise<boolean> {
  try {
    const graph = await readGraph(entry, options);
    return graph.unknown.length === 0 && (await missingBlobs(graph, options.store)).length === 0;
  } catch (error) {
    if (isOciError(error, 'ERR_OCI_BLOB_NOT_FOUND')) return false;
    throw error;
  }
}

function chooseComplete(complete: readonly Descriptor[]): Descriptor | undefined {
  const runnable = complete.filter(({ platform }) => platform === undefined || platform.os !== 'unknown');
  try {
    return selectPlatform(runnable, hostPlatform());
  } catch (error) {
    if (!isOciError(error, 'ERR_OCI_PLATFORM_NOT_FOUND')) throw error;
    return runnable.length === 1 ? runnable[0] : undefined;
  }
}

function readGraph(top: Descriptor, options: InStore): Promise<ImageGraph> {
  return walkGraph(top, { load: loader(options), choose: chooseAll });
}

function loader({ store, signal }: InStore): (descriptor: Descriptor) => Promise<Uint8Array> {
  return (descriptor) => store.readAll(descriptor, { signal, limit: limits.manifestBytes });
}

async function missingBlobs(graph: ImageGraph, store: ImageStore): Promise<readonly Descriptor[]> {
  const missing: Descriptor[] = [];
  for (const blob of blobsOf(graph.manifests)) {
    if ((await store.size(blob.digest)) !== blob.size && !isForeign(blob)) missing.push(blob);
  }
  return missing;
}

function incomplete(top: Descriptor, missing: readonly Descriptor[]): RegistryError {
  const first = missing[0]?.digest ?? '';
  return new RegistryError(
    'ERR_OCI_REGISTRY_INCOMPLETE',
    `${top.digest} cannot be pushed: ${missing.length} parts are not in the store, the first is ${first}`,
    { digest: top.digest, hint: 'pull the image with --all-platforms, or push one with --platform OS/ARCH' },
  );
}

import {
  archiveSink,
  type BlobStatus,
  type ContentStore,
  createLayout,
  type Descriptor,
  directorySink,
  formatReference,
  ImageError,
  type ImageSink,
  type ImageStore,
  isIndexType,
  type OnEvent,
  parseIndex,
  parseReference,
  storeSink,
} from '@ocijs/image';
import { downloadBlob } from '../download.ts';
import { limits } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import { type BlobProgress, trackBlob } from '../progress.ts';
import { type CopyDestinationLocation, formatLocation } from './location.ts';
import { registryTarget } from './registry-target.ts';
import { atPlaces } from './remote-places.ts';
import type { CopySource } from './source.ts';

/** One blob on its way. */
export interface BlobJob {
  readonly descriptor: Descriptor;
  /** Opens the verified bytes; may be called again. */
  open(): AsyncIterable<Uint8Array>;
  /** Where the blob comes from, when it comes as it is. */
  readonly source?: CopySource | undefined;
  /** Hears how far the blob is. */
  readonly onEvent: OnEvent | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An open place that images are written to. Blobs first, then manifests, children before parents. */
export interface CopyTarget extends AsyncDisposable {
  /** For reports and messages. */
  readonly name: string;
  /** How progress calls it when blobs come here. */
  readonly direction: 'pull' | 'push';
  /** True when blobs must come one after the other. */
  readonly sequential: boolean;
  /**
   * How it knows what refers to what: by the subjects of its manifests, by an index under a tag, which is to be written, or
   * not at all.
   */
  readonly referrers: 'subject' | 'index' | 'none';
  /** How a tag beside the image is named there. */
  siblingName(tag: string): string;
  /** What an index has that is there already. */
  entriesOf?(name: string): Promise<readonly Descriptor[]>;
  /** Layers must not be compressed there. */
  readonly plainLayers: boolean;
  /** Brings a blob there, unless it is there already. */
  writeBlob(job: BlobJob): Promise<BlobStatus>;
  writeManifest(descriptor: Descriptor, bytes: Uint8Array): Promise<void>;
  /** Names what was written. */
  add(descriptor: Descriptor, name: string | undefined): Promise<void>;
  /** Makes everything visible. */
  commit(): Promise<void>;
}

/** A target, and the name that the image gets there. */
export interface OpenedTarget {
  readonly target: CopyTarget;
  readonly name: string | undefined;
}

/** Opens a place to write to. */
export async function openTarget(
  location: CopyDestinationLocation,
  options: RegistryOptions,
): Promise<OpenedTarget> {
  const { signal } = options;
  const name = formatLocation(location);
  switch (location.transport) {
    case 'registry': {
      const { reference: asked } = location;
      const reference = typeof asked === 'string' ? parseReference(asked) : asked;
      return { target: registryTarget(reference, options), name: reference.tag };
    }
    case 'store': {
      const sink = storeSink(location.store);
      const reference = parseReference(location.name);
      const { registry, repository } = reference;
      const target = sinkTarget(sink, {
        name,
        store: location.store,
        referrers: 'subject',
        siblingName: (tag) => formatReference({ registry, repository, tag }),
      });
      return { target, name: formatReference(reference) };
    }
    case 'oci': {
      const store = await createLayout(location.directory, { signal });
      const sink = storeSink(store, { location: location.directory });
      const target = sinkTarget(sink, {
        name,
        store,
        referrers: 'index',
        entriesOf: (tag) => entriesOf(store, { tag, signal }),
        dispose: () => store[Symbol.asyncDispose](),
      });
      return { target, name: location.name };
    }
    case 'dir':
      return {
        target: sinkTarget(await directorySink(location.directory, { signal }), { name }),
        name: undefined,
      };
    default: {
      const format = location.transport === 'oci-archive' ? 'oci' : 'docker';
      const what = typeof location.file === 'string' ? {} : { location: 'standard output' };
      if (format === 'docker' && location.name !== undefined) checkDockerName(location.name);
      const sink = await archiveSink(location.file, { ...what, format, signal });
      const target = sinkTarget(sink, {
        name,
        plainLayers: format === 'docker',
        referrers: format === 'docker' ? 'none' : 'index',
      });
      return { target, name: location.name };
    }
  }
}

/** What the index under a name of a layout has; nothing when something else has the name. */
async function entriesOf(
  store: ImageStore,
  { tag, signal }: { readonly tag: string; readonly signal: AbortSignal | undefined },
): Promise<readonly Descriptor[]> {
  const found = await store.resolve(tag);
  if (found === undefined || !isIndexType(found.mediaType)) return [];
  const raw = await store.readAll(found, { signal, limit: limits.manifestBytes });
  return parseIndex(raw, { mediaType: found.mediaType }).manifests;
}

/** Docker knows images by name and tag only. */
function checkDockerName(name: string): void {
  const { digest } = parseReference(name);
  if (digest === undefined) return;
  throw new ImageError(
    'ERR_OCI_REFERENCE_INVALID',
    `${name} has a digest, which no image in an archive is named by`,
    {
      reference: name,
      hint: 'leave the digest out',
    },
  );
}

interface SinkTargetOptions {
  readonly name: string;
  readonly store?: ContentStore;
  readonly referrers?: CopyTarget['referrers'];
  readonly siblingName?: CopyTarget['siblingName'];
  readonly entriesOf?: CopyTarget['entriesOf'];
  readonly plainLayers?: boolean;
  readonly dispose?: () => PromiseLike<void>;
}

/** A target that is a file, directory or store. */
function sinkTarget(sink: ImageSink, made: SinkTargetOptions): CopyTarget {
  const { name, store, entriesOf, plainLayers = false } = made;
  const write = async (job: BlobJob, progress: BlobProgress): Promise<BlobStatus> => {
    const { descriptor, signal } = job;
    if (await sink.has(descriptor, { signal })) return 'reused';
    progress.start(0);
    const bytes = counted(job.open(), (done) => progress.moved(done));
    await sink.writeBlob(descriptor, bytes, { signal });
    return 'fetched';
  };
  return {
    name,
    direction: 'pull',
    sequential: sink.sequential,
    plainLayers,
    referrers: made.referrers ?? 'none',
    siblingName: made.siblingName ?? ((tag) => tag),
    ...(entriesOf === undefined ? {} : { entriesOf }),
    async writeBlob(job) {
      const { descriptor, source, onEvent, signal } = job;
      const remote = source?.remote;
      if (store !== undefined && remote !== undefined) {
        // Asked first so that the blob is protected from garbage collection when the download finds it there.
        await sink.has(descriptor, { signal });
        const download = await atPlaces(remote, ({ session, repository }) =>
          downloadBlob(session, { repository, descriptor, store, onEvent, signal }),
        );
        return download.status;
      }
      const progress = trackBlob(descriptor, onEvent);
      const status = await write(job, progress);
      progress.done(status);
      return status;
    },
    writeManifest: (descriptor, bytes) => sink.writeManifest(descriptor, bytes),
    add: (descriptor, imageName) => sink.add(descriptor, imageName),
    commit: () => sink.commit(),
    async [Symbol.asyncDispose]() {
      await sink[Symbol.asyncDispose]();
      await made.dispose?.();
    },
  };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (done: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of source) {
    yield chunk;
    done += chunk.length;
    onBytes(done);
  }
}

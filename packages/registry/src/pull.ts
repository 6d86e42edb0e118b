import {
  type ContentStore,
  type Descriptor,
  type Digest,
  formatReference,
  type ImageSource,
  type ImageStore,
  isOciError,
  type Platform,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { forEachConcurrently } from './concurrency.ts';
import { fromSources, type PullSource, sourceSession } from './config/sources.ts';
import { checkConfigSize } from './config-size.ts';
import { downloadBlob } from './download.ts';
import {
  blobsOf,
  chooseAll,
  chooseOne,
  type ImageGraph,
  type IndexNode,
  type ManifestNode,
  walkGraph,
} from './graph.ts';
import { defaultConcurrency, limits } from './limits.ts';
import { rememberLocation } from './locations.ts';
import type { RegistryOptions } from './options.ts';
import type { BlobReport, TransferReport } from './report.ts';
import { fetchDescribed, type Resolved, resolve } from './resolve.ts';
import type { Session } from './session.ts';
import { type PullPolicy, pullPolicy } from './signature/policy/pull-policy.ts';
import { withTransferProgress } from './transfer-progress.ts';

/** Options of {@link pull}. */
export interface PullOptions extends RegistryOptions {
  readonly store: ImageStore;
  /** Which image of an index; default: the host's. */
  readonly platform?: Platform | undefined;
  /** Everything an index refers to. Default false. */
  readonly allPlatforms?: boolean | undefined;
  /** What the reference must name; anything else is ERR_OCI_DIGEST_MISMATCH. */
  readonly expectDigest?: Digest | undefined;
}

/** A pulled image, read from the store, and what the pull did. */
export interface PulledImage extends ImageSource {
  readonly report: TransferReport;
}

/**
 * Brings an image from its registry into the store: manifests, config and layers, each verified before it
 * becomes visible. The name is set in the store last, when everything is there, so that a failed pull changes
 * no name; what arrived is kept and resumed by the next pull. An image that is there already costs one HEAD
 * request.
 *
 * Throws {@link RegistryError}; ERR_OCI_DIGEST_MISMATCH and ERR_OCI_SIZE_MISMATCH when the registry sends
 * other content than it promised; ERR_OCI_PLATFORM_NOT_FOUND; `signal.reason`; ERR_OCI_SIGNATURE_REJECTED and
 * its like when the signature policy of this machine does not let the image in.
 */
export async function pull(name: string | Reference, options: PullOptions): Promise<PulledImage> {
  options.signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const policy = await pullPolicy(reference, options);
  return fromSources(reference, options, (source) =>
    pullFrom(source, { ...options, reference, admission: policy }),
  );
}

/** Pulls from one place; the name in the store is the one that was asked for. */
async function pullFrom(
  source: PullSource,
  options: PullOptions & { readonly reference: Reference; readonly admission: PullPolicy },
): Promise<PulledImage> {
  const { store, signal, platform, onEvent, reference } = options;
  const { repository } = source.reference;
  await using session = sourceSession(source);
  const resolved = await resolve(session, {
    reference: source.reference,
    expectDigest: options.expectDigest,
    signal,
  });
  const top = resolved.descriptor;
  const canonical = formatReference(reference);
  onEvent?.({ type: 'resolve', reference: canonical, digest: top.digest, mediaType: top.mediaType });

  const damaged = new Set<string>();
  const graph = await walkGraph(top, {
    load: (descriptor) => loadManifest(session, { descriptor, repository, store, resolved, damaged, signal }),
    choose: options.allPlatforms ? chooseAll : chooseOne(platform),
    concurrency: options.concurrency,
  });
  const manifests = graph.manifests.map(({ descriptor }) => descriptor.digest);
  await options.admission.admit(session, { repository, digest: top.digest, manifests, signal });
  for (const { mediaType, digest } of graph.unknown) {
    const message = `entry ${digest} of the index is of the unknown type ${mediaType} and was left out`;
    onEvent?.({ type: 'warning', code: 'INDEX_ENTRY_SKIPPED', message });
  }
  // Taken before the store is asked what it has, and held until the name is set: nothing of it is collected meanwhile.
  const purpose = `pull of ${canonical}`;
  await using _lease = await store.lease({ digests: digestsOf(graph), purpose, signal });
  const transfer = await pullBlobs(session, { graph, repository, store, signal });
  await storeManifests(graph, { store, damaged, signal });
  // Opened before it is named: a platform or a config that does not fit must not change the name.
  const image = await openImage({ store, top, graph, platform, signal });
  signal?.throwIfAborted();
  await store.tag(canonical, top);
  const came = transfer.blobs.filter(({ status }) => status !== 'reused').map(({ digest }) => digest);
  await rememberLocation(store, { registry: source.reference.registry, repository, digests: came });
  const { digest, mediaType } = top;
  const report = {
    reference: canonical,
    ...(source.isMirror ? { mirror: formatReference(source.reference) } : {}),
    digest,
    mediaType,
    platform: image.platform,
    ...transfer,
  };
  return withReport(image, report);
}

function digestsOf({ indexes, manifests }: ImageGraph): readonly Digest[] {
  const documents = [...indexes, ...manifests].map(({ descriptor }) => descriptor);
  return [...documents, ...blobsOf(manifests)].map(({ digest }) => digest);
}

interface BlobTransfer {
  readonly blobs: readonly BlobReport[];
  readonly bytesFetched: number;
  readonly bytesReused: number;
}

async function pullBlobs(
  session: Session,
  target: {
    readonly graph: ImageGraph;
    readonly repository: string;
    readonly store: ContentStore;
    readonly signal: AbortSignal | undefined;
  },
): Promise<BlobTransfer> {
  const { graph, repository, store, signal } = target;
  for (const { manifest } of graph.manifests) checkConfigSize(manifest.config);
  const wanted = blobsOf(graph.manifests);
  const reports = new Map<string, BlobReport>();
  let bytesFetched = 0;
  let bytesReused = 0;
  // Small ones first: configs and thin layers must not wait behind a large one.
  const queue = [...wanted].sort((a, b) => a.size - b.size);
  const onEvent = withTransferProgress(session.options.onEvent, {
    direction: 'pull',
    total: wanted.reduce((sum, { size }) => sum + size, 0),
  });
  await forEachConcurrently(queue, {
    limit: session.options.concurrency ?? defaultConcurrency,
    signal,
    work: async (descriptor, blobSignal) => {
      const { status, received, reused } = await downloadBlob(session, {
        descriptor,
        repository,
        store,
        signal: blobSignal,
        onEvent,
      });
      const { digest, size, mediaType } = descriptor;
      reports.set(digest, { digest, size, mediaType, status });
      bytesFetched += received;
      bytesReused += reused;
    },
  });
  return { blobs: wanted.flatMap(({ digest }) => reports.get(digest) ?? []), bytesFetched, bytesReused };
}

async function loadManifest(
  session: Session,
  target: {
    readonly descriptor: Descriptor;
    readonly repository: string;
    readonly store: ContentStore;
    readonly resolved: Resolved;
    /** Digests whose copy in the store is not what it should be. */
    readonly damaged: Set<string>;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Uint8Array> {
  const { descriptor, repository, store, resolved, damaged, signal } = target;
  if (descriptor.digest === resolved.descriptor.digest && resolved.bytes !== undefined) return resolved.bytes;
  if ((await store.size(descriptor.digest)) === descriptor.size) {
    try {
      return await store.readAll(descriptor, { signal, limit: limits.manifestBytes });
    } catch (error) {
      if (!isOciError(error, 'ERR_OCI_DIGEST_MISMATCH')) throw error;
      damaged.add(descriptor.digest);
    }
  }
  return fetchDescribed(session, { repository, descriptor, signal });
}

/** Manifests go in after their blobs, so that a manifest in the store says that its image is complete. */
async function storeManifests(
  graph: ImageGraph,
  target: {
    readonly store: ContentStore;
    readonly damaged: ReadonlySet<string>;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { store, damaged, signal } = target;
  const put = async ({ descriptor, bytes }: ManifestNode | IndexNode): Promise<void> => {
    const { digest, size } = descriptor;
    if ((await store.size(digest)) === size && !damaged.has(digest)) return;
    await using ingest = await store.ingest(descriptor, { signal });
    await ingest.reset();
    await ingest.write(bytes);
    await ingest.commit();
  };
  await forEachConcurrently(graph.manifests, { limit: defaultConcurrency, signal, work: put });
  for (const index of [...graph.indexes].reverse()) await put(index);
}

/** With all platforms and none of them the host's, the first one stands for the image. */
async function openImage(target: {
  readonly store: ImageStore;
  readonly top: Descriptor;
  readonly graph: ImageGraph;
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<ImageSource> {
  const { store, top, graph, platform, signal } = target;
  const wanted = { signal, ...(platform === undefined ? {} : { platform }) };
  const first = graph.manifests[0]?.descriptor;
  try {
    return await store.image(top, wanted);
  } catch (error) {
    if (first === undefined || platform !== undefined) throw error;
    if (!isOciError(error, 'ERR_OCI_PLATFORM_NOT_FOUND')) throw error;
    return store.image(first, { signal });
  }
}

function withReport(image: ImageSource, report: TransferReport): PulledImage {
  const { descriptor, manifest, rawManifest, config, rawConfig, platform } = image;
  const facts = {
    name: report.reference,
    descriptor,
    manifest,
    rawManifest,
    config,
    rawConfig,
    platform,
    report,
  };
  return {
    ...facts,
    openBlob: (blob, options) => image.openBlob(blob, options),
    blobFile: (blob) => image.blobFile?.(blob),
    listings: image.listings,
  };
}

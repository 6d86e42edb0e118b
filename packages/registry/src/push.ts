import {
  type BlobStatus,
  type Descriptor,
  formatReference,
  ImageError,
  type ImageSource,
  type ImageStore,
  type Platform,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { isForeign } from './blobs.ts';
import { forEachConcurrently } from './concurrency.ts';
import { blobsOf } from './graph.ts';
import { defaultConcurrency } from './limits.ts';
import { locationsIn, rememberLocation } from './locations.ts';
import { putManifest } from './manifests.ts';
import { canonicalRegistry } from './names.ts';
import type { RegistryOptions } from './options.ts';
import { trackBlob } from './progress.ts';
import { openPushSource, type PushSource } from './push-source.ts';
import { recordReferrer } from './referrers-tag.ts';
import type { BlobReport, TransferReport } from './report.ts';
import { createSession, type Session } from './session.ts';
import { withTransferProgress } from './transfer-progress.ts';
import { uploadBlob } from './upload.ts';

/** Options of {@link push}. */
export interface PushOptions extends RegistryOptions {
  /** Where the image is; needed unless an {@link ImageSource} is pushed. */
  readonly store?: ImageStore | undefined;
  /** Push only this image of an index. */
  readonly platform?: Platform | undefined;
  /** Push the whole index, and fail when it is not complete in the store. */
  readonly allPlatforms?: boolean | undefined;
  /**
   * A repository of the same registry that is thought to have the layers. Default: that of the image's name. Others
   * are known to the store from earlier pulls and pushes.
   */
  readonly mountFrom?: string | undefined;
}

/**
 * Sends an image to a registry: blobs that are missing there, then manifests byte for byte, then indexes; the
 * tag last. `source` is a name in the store, something described in it, or any image. Without a destination
 * the name is it.
 *
 * An index is pushed with everything below it. When the store has only a part of it, as after a pull for one
 * platform, the host's manifest is pushed alone and a `warning` event (`INDEX_INCOMPLETE`) says so; with
 * `allPlatforms` that is ERR_OCI_REGISTRY_INCOMPLETE.
 *
 * Throws {@link RegistryError}, ERR_OCI_IMAGE_NOT_FOUND, ERR_OCI_PLATFORM_NOT_FOUND, `signal.reason`. An
 * upload that fails or is aborted is cancelled at the registry, and no tag is changed.
 */
export async function push(
  source: string | ImageSource | Descriptor,
  destination: string | undefined,
  options: PushOptions,
): Promise<TransferReport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const reference = destinationOf(source, destination);
  const content = await openPushSource(source, options);
  const { top, graph } = content;
  if (reference.digest !== undefined && reference.digest !== top.digest) throw otherDigest(reference, top);
  const { registry, repository } = reference;
  await using session = createSession(registry, { ...options, repository, purpose: 'push' });
  const { store } = options;
  const likely = options.mountFrom ?? mountSource(source, reference);
  const known = store === undefined ? () => [] : await locationsIn(store, registry);
  const mountFrom = ({ digest }: Descriptor): readonly string[] => [
    ...new Set([...(likely === undefined ? [] : [likely]), ...known(digest)]),
  ];
  const blobs = await pushBlobs(session, { content, repository, mountFrom, signal });
  await pushManifests(session, { content, reference, signal });
  if (store !== undefined)
    await rememberLocation(store, { registry, repository, digests: blobs.map(({ digest }) => digest) });
  const { platform } = content;
  return {
    reference: formatReference(reference),
    digest: top.digest,
    mediaType: top.mediaType,
    ...(platform === undefined || graph.indexes.length > 0 ? {} : { platform }),
    blobs,
    bytesPushed: blobs.reduce((sum, { status, size }) => sum + (status === 'pushed' ? size : 0), 0),
  };
}

function destinationOf(
  source: string | ImageSource | Descriptor,
  destination: string | undefined,
): Reference {
  if (destination !== undefined) return parseReference(destination);
  if (typeof source === 'string') return parseReference(source);
  if ('rawManifest' in source) return parseReference(source.name);
  throw new TypeError('push of a descriptor needs a destination');
}

function otherDigest(reference: Reference, top: Descriptor): ImageError {
  return new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `what is pushed is ${top.digest}, not ${reference.digest} as the destination says`,
    { digest: top.digest, actual: top.digest, expected: reference.digest ?? '' },
  );
}

/** An image pulled from the same registry has its layers there already, in the repository of its name. */
function mountSource(source: string | ImageSource | Descriptor, destination: Reference): string | undefined {
  const name = typeof source === 'string' ? source : 'rawManifest' in source ? source.name : undefined;
  if (name === undefined) return undefined;
  let origin: Reference;
  try {
    origin = parseReference(name);
  } catch (error) {
    // The name of an image from a layout or archive is no reference, and no repository then.
    if (error instanceof ImageError) return undefined;
    throw error;
  }
  return canonicalRegistry(origin.registry) === canonicalRegistry(destination.registry)
    ? origin.repository
    : undefined;
}

async function pushBlobs(
  session: Session,
  target: {
    readonly content: PushSource;
    readonly repository: string;
    readonly mountFrom: (blob: Descriptor) => readonly string[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly BlobReport[]> {
  const { content, repository, mountFrom, signal } = target;
  const blobs = blobsOf(content.graph.manifests);
  const statuses = new Map<string, BlobStatus>();
  const onEvent = withTransferProgress(session.options.onEvent, {
    direction: 'push',
    total: blobs.reduce((sum, { size }) => sum + size, 0),
  });
  await forEachConcurrently(
    [...blobs].sort((a, b) => a.size - b.size),
    {
      limit: session.options.concurrency ?? defaultConcurrency,
      signal,
      work: async (descriptor, blobSignal) => {
        if (isForeign(descriptor) && !(await content.has(descriptor))) return;
        const progress = trackBlob(descriptor, onEvent);
        progress.start(0);
        const status = await uploadBlob(session, {
          descriptor,
          repository,
          mountFrom: mountFrom(descriptor),
          open: () => content.open(descriptor),
          openPassing: () => (content.openPassing ?? content.open)(descriptor),
          onProgress: (sent) => progress.moved(sent),
          signal: blobSignal,
        });
        progress.done(status);
        statuses.set(descriptor.digest, status);
      },
    },
  );
  return blobs.flatMap(({ digest, size, mediaType }) => {
    const status = statuses.get(digest);
    return status === undefined ? [] : [{ digest, size, mediaType, status }];
  });
}

/**
 * Children before parents, and what the tag names last, so that the registry never has a parent without its
 * children.
 */
async function pushManifests(
  session: Session,
  target: {
    readonly content: PushSource;
    readonly reference: Reference;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { content, reference, signal } = target;
  const { repository, tag } = reference;
  const nodes = [
    ...content.graph.manifests,
    ...[...content.graph.indexes].reverse().map((node) => ({ ...node, manifest: node.index })),
  ];
  for (const { descriptor, bytes, manifest } of nodes) {
    const { digest, mediaType } = descriptor;
    const name = digest === content.top.digest ? (tag ?? digest) : digest;
    const { subjectKnown } = await putManifest(session, {
      repository,
      reference: name,
      bytes,
      mediaType,
      signal,
    });
    if (manifest.subject === undefined || subjectKnown) continue;
    await recordReferrer(session, { repository, descriptor, manifest, signal });
  }
}

import {
  type Descriptor,
  digestBytes,
  encodeJson,
  formatReference,
  ImageError,
  isMediaType,
  type Manifest,
  MediaType,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { type ArtifactFile, describeFile, type FileLayer, titleAnnotation } from './artifact-files.ts';
import { checkTitlesAgree } from './artifact-title.ts';
import { forEachConcurrently } from './concurrency.ts';
import { RegistryError } from './errors.ts';
import { defaultConcurrency, limits } from './limits.ts';
import { putManifest } from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { trackBlob } from './progress.ts';
import { recordReferrer } from './referrers-tag.ts';
import type { BlobReport } from './report.ts';
import { resolve } from './resolve.ts';
import { createSession, type Session } from './session.ts';
import { uploadBlob } from './upload.ts';

/** Options of {@link attachArtifact}. */
export interface AttachOptions extends RegistryOptions {
  /** What the artifact is, such as `application/spdx+json`. */
  readonly artifactType: string;
  /** Of the artifact's manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** What was attached. */
export interface AttachReport {
  /** By digest. */
  readonly reference: string;
  readonly subject: Descriptor;
  readonly descriptor: Descriptor;
  readonly blobs: readonly BlobReport[];
  /** `tag`: the registry has no referrers API, and the index under the fall-back tag was changed. */
  readonly listedBy: 'api' | 'tag';
}

const emptyBytes = Buffer.from('{}');
/** image-spec "Guidance for an Empty Descriptor". */
const empty: Descriptor = {
  mediaType: MediaType.empty,
  digest: digestBytes(emptyBytes),
  size: emptyBytes.length,
  data: emptyBytes.toString('base64'),
};

/**
 * Pushes files as an artifact that refers to a manifest or index: a signature, an SBOM, a report. The same
 * files, type and annotations give the same digest. A registry that does not list referrers by itself gets
 * the artifact entered into the subject's fall-back tag.
 *
 * Throws ERR_OCI_REGISTRY_ARTIFACT_INVALID, ERR_OCI_MEDIA_TYPE_UNSUPPORTED, other {@link RegistryError},
 * `signal.reason`.
 */
export async function attachArtifact(
  name: string | Reference,
  files: readonly ArtifactFile[],
  options: AttachOptions,
): Promise<AttachReport> {
  const { artifactType, annotations, signal } = options;
  signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  checkRequest(files, options);
  const layers: FileLayer[] = [];
  for (const file of files) layers.push(await describeFile(file, { signal }));
  checkTitlesAgree(layers.map(({ descriptor }) => descriptor.annotations?.[titleAnnotation] ?? ''));

  const { registry, repository } = reference;
  await using session = createSession(registry, { ...options, repository, purpose: 'push' });
  const { mediaType, digest, size } = (await resolve(session, { reference, signal })).descriptor;
  const subject: Descriptor = { mediaType, digest, size };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType,
    config: empty,
    layers: layers.length === 0 ? [empty] : layers.map(({ descriptor }) => descriptor),
    subject,
    ...(annotations === undefined ? {} : { annotations }),
  };
  const blobs = await pushBlobs(session, { layers, repository, signal });
  const bytes = encodeJson(manifest);
  const descriptor: Descriptor = {
    mediaType: MediaType.manifest,
    digest: digestBytes(bytes),
    size: bytes.length,
  };
  const put = { repository, reference: descriptor.digest, bytes, mediaType: MediaType.manifest, signal };
  const { subjectKnown } = await putManifest(session, put);
  if (!subjectKnown) await recordReferrer(session, { repository, descriptor, manifest, signal });
  return {
    reference: formatReference({ registry, repository, digest: descriptor.digest }),
    subject,
    descriptor: { ...descriptor, artifactType },
    blobs,
    listedBy: subjectKnown ? 'api' : 'tag',
  };
}

function checkRequest(
  files: readonly ArtifactFile[],
  { artifactType, annotations = {} }: AttachOptions,
): void {
  if (!isMediaType(artifactType)) {
    throw new ImageError(
      'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
      `artifact type "${artifactType}" is not a media type`,
      {
        hint: 'an artifact type has the form application/vnd.example.report+json',
      },
    );
  }
  if (files.length > 0 ? files.length <= limits.artifactFiles : Object.keys(annotations).length > 0) return;
  throw new RegistryError(
    'ERR_OCI_REGISTRY_ARTIFACT_INVALID',
    files.length === 0
      ? 'artifact has neither files nor annotations'
      : `artifact has more than ${limits.artifactFiles} files`,
  );
}

async function pushBlobs(
  session: Session,
  target: {
    readonly layers: readonly FileLayer[];
    readonly repository: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly BlobReport[]> {
  const { layers, repository, signal } = target;
  async function* openEmpty(): AsyncGenerator<Uint8Array> {
    yield emptyBytes;
  }
  const all = new Map<string, FileLayer>([[empty.digest, { descriptor: empty, open: openEmpty }]]);
  for (const layer of layers) all.set(layer.descriptor.digest, layer);
  const reports: BlobReport[] = [];
  await forEachConcurrently([...all.values()], {
    limit: session.options.concurrency ?? defaultConcurrency,
    signal,
    work: async ({ descriptor, open }, blobSignal) => {
      const { digest, size, mediaType } = descriptor;
      const progress = trackBlob(descriptor, session.options.onEvent);
      progress.start(0);
      const status = await uploadBlob(session, {
        descriptor,
        repository,
        open,
        onProgress: (sent) => progress.moved(sent),
        signal: blobSignal,
      });
      progress.done(status);
      reports.push({ digest, size, mediaType, status });
    },
  });
  return reports;
}

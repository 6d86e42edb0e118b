import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Descriptor,
  formatReference,
  isIndexType,
  parseManifest,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { titleAnnotation } from './artifact-files.ts';
import { placeFile } from './artifact-place.ts';
import { checkTitle, checkTitlesAgree } from './artifact-title.ts';
import { getBlob } from './blobs.ts';
import { forEachConcurrently } from './concurrency.ts';
import { RegistryError } from './errors.ts';
import { defaultConcurrency, limits } from './limits.ts';
import type { RegistryOptions } from './options.ts';
import { trackBlob } from './progress.ts';
import { fetchDescribed, resolve } from './resolve.ts';
import { createSession, type Session } from './session.ts';
import { pullPolicy } from './signature/policy/pull-policy.ts';

/** Options of {@link pullArtifact}. */
export interface PullArtifactOptions extends RegistryOptions {
  /** Replace files that exist. Default false: ERR_OCI_REGISTRY_ARTIFACT_EXISTS. */
  readonly overwrite?: boolean | undefined;
}

/** What was written. */
export interface PulledArtifact {
  readonly reference: string;
  readonly descriptor: Descriptor;
  readonly files: readonly { readonly path: string; readonly descriptor: Descriptor }[];
  /** Layers without a title: nobody said what their files are to be called. */
  readonly unnamed: readonly Descriptor[];
}

/**
 * Writes the files of an artifact into a directory, which is made when it is missing. All are fetched and
 * verified first, beside their places; nothing is written when one of them fails, has a name that leads
 * anywhere else, or exists. Symbolic links in the directory are never followed.
 *
 * Throws ERR_OCI_REGISTRY_ARTIFACT_INVALID, ERR_OCI_REGISTRY_ARTIFACT_EXISTS, ERR_OCI_DIGEST_MISMATCH, other
 * {@link RegistryError}, `signal.reason`.
 */
export async function pullArtifact(
  name: string | Reference,
  directory: string,
  options: PullArtifactOptions = {},
): Promise<PulledArtifact> {
  const { signal, overwrite = false } = options;
  signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const { registry, repository } = reference;
  const policy = await pullPolicy(reference, options);
  await using session = createSession(registry, { ...options, repository });
  const { descriptor, bytes } = await resolve(session, { reference, signal });
  const { digest, mediaType } = descriptor;
  await policy.admit(session, { repository, digest, manifests: [], signal });
  if (isIndexType(mediaType)) throw invalid(`${digest} is an index, not an artifact`, digest);
  const raw = bytes ?? (await fetchDescribed(session, { repository, descriptor, signal }));
  const { layers } = parseManifest(raw, { mediaType });
  if (layers.length > limits.artifactFiles) {
    throw invalid(`artifact ${digest} has more than ${limits.artifactFiles} files`, digest);
  }
  const named = layers.flatMap((layer) => {
    const title = layer.annotations?.[titleAnnotation];
    return title === undefined ? [] : [{ layer, title, parts: checkTitle(title) }];
  });
  checkTitlesAgree(named.map(({ title }) => title));

  await mkdir(directory, { recursive: true });
  const staging = await mkdtemp(join(directory, '.oci-artifact-'));
  try {
    const staged = named.map((file, index) => ({ ...file, source: join(staging, String(index)) }));
    await forEachConcurrently(staged, {
      limit: options.concurrency ?? defaultConcurrency,
      signal,
      work: ({ layer, source }, blobSignal) =>
        fetchFile(session, { repository, descriptor: layer, path: source, signal: blobSignal }),
    });
    signal?.throwIfAborted();
    for (const isRehearsal of [true, false]) {
      for (const { source, parts } of staged) {
        await placeFile(source, { directory, parts, overwrite, isRehearsal });
      }
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return {
    reference: formatReference(reference),
    descriptor,
    files: named.map(({ layer, parts }) => ({ path: join(directory, ...parts), descriptor: layer })),
    unnamed: layers.filter(({ annotations }) => annotations?.[titleAnnotation] === undefined),
  };
}

async function fetchFile(
  session: Session,
  target: {
    readonly repository: string;
    readonly descriptor: Descriptor;
    readonly path: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { repository, descriptor, path, signal } = target;
  const progress = trackBlob(descriptor, session.options.onEvent);
  progress.start(0);
  await using file = await open(path, 'wx');
  let done = 0;
  for await (const chunk of getBlob(session, { repository, descriptor, signal })) {
    await file.writeFile(chunk);
    done += chunk.length;
    progress.moved(done);
  }
  progress.done('fetched');
}

function invalid(message: string, digest: string): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_ARTIFACT_INVALID', message, {
    digest,
    hint: 'oci referrers lists the artifacts of an image; name one by its digest',
  });
}

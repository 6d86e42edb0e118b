import { randomUUID } from 'node:crypto';
import { type Descriptor, type Digest, digestBytes, encodeJson, ImageError, MediaType } from '@ocijs/image';
import { cannotDelete, sendDelete } from './delete-manifest.ts';
import { RegistryError } from './errors.ts';
import {
  type CallOptions,
  type FetchedManifest,
  getManifest,
  headManifest,
  putManifest,
} from './manifests.ts';
import type { Session } from './session.ts';
import { uploadBlob } from './upload.ts';

/** A tag that is to go. */
export interface TagTarget extends CallOptions {
  readonly repository: string;
  readonly tag: string;
  /** What the tag must name; when it names something else, it stays. */
  readonly expected?: Digest | undefined;
}

/**
 * Removes one tag and nothing else: other tags of the same manifest, and the manifest itself, stay. Where the
 * registry cannot delete a tag, the tag is moved to a manifest made for this moment, which is then deleted by
 * its digest. Whether that works is tried out first, and the tag is put back when it fails all the same.
 *
 * Throws ERR_OCI_REGISTRY_NOT_FOUND, ERR_OCI_DIGEST_MISMATCH, ERR_OCI_REGISTRY_UNSUPPORTED.
 */
export async function removeTag(session: Session, target: TagTarget): Promise<Digest> {
  const { repository, tag, expected, signal } = target;
  const manifest = await getManifest(session, { repository, reference: tag, signal });
  const { digest } = manifest;
  if (expected !== undefined && expected !== digest) {
    throw new ImageError(
      'ERR_OCI_DIGEST_MISMATCH',
      `tag ${tag} of ${repository} names ${digest}, not ${expected}`,
      { expected, actual: digest, digest: expected, hint: 'the tag has moved; it was not deleted' },
    );
  }
  if (await sendDelete(session, { repository, reference: tag, signal })) {
    await warnOfLoss(session, { ...target, digest });
  } else await moveAndDelete(session, { ...target, manifest });
  return digest;
}

/** There are registries that take a tag for the manifest it names. Nothing can undo that, but it is said. */
async function warnOfLoss(session: Session, target: TagTarget & { readonly digest: Digest }): Promise<void> {
  const { repository, tag, digest, signal } = target;
  if (session.options.onEvent === undefined) return;
  try {
    await headManifest(session, { repository, reference: digest, signal });
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'ERR_OCI_REGISTRY_NOT_FOUND') throw error;
    const message = `${session.registry} deleted ${repository}@${digest} together with the tag ${tag}`;
    session.options.onEvent({ type: 'warning', code: 'MANIFEST_DELETED', message });
  }
}

async function moveAndDelete(
  session: Session,
  target: TagTarget & { readonly manifest: FetchedManifest },
): Promise<void> {
  const { repository, tag, manifest, signal } = target;
  const stand = await makeStandIn(session, target);
  const byDigest = { repository, reference: stand.digest, signal };
  const { mediaType } = stand;
  await putManifest(session, { ...byDigest, bytes: stand.bytes, mediaType });
  if (!(await sendDelete(session, byDigest)))
    throw cannotDelete(session, { repository, digest: manifest.digest });
  try {
    await putManifest(session, { repository, reference: tag, bytes: stand.bytes, mediaType, signal });
    if (!(await sendDelete(session, byDigest))) {
      throw cannotDelete(session, { repository, digest: manifest.digest });
    }
  } catch (error) {
    // Also after an abort: the tag must not be left on the stand-in.
    await putBack(session, { ...target, signal: AbortSignal.timeout(putBackMs), stand: stand.digest });
    throw error;
  }
}

const putBackMs = 30_000;

/** Not when somebody else has moved the tag meanwhile. */
async function putBack(
  session: Session,
  target: TagTarget & { readonly manifest: FetchedManifest; readonly stand: Digest },
): Promise<void> {
  const { repository, tag, manifest, stand, signal } = target;
  const { digest } = await headManifest(session, { repository, reference: tag, signal });
  if (digest !== stand) return;
  const { bytes, mediaType } = manifest;
  await putManifest(session, { repository, reference: tag, bytes, mediaType, signal });
}

/** A manifest that nothing else can name, since nobody else has its random annotation. */
async function makeStandIn(session: Session, { repository, signal }: TagTarget): Promise<FetchedManifest> {
  const content = Buffer.from('{}');
  const config: Descriptor = {
    mediaType: MediaType.empty,
    digest: digestBytes(content),
    size: content.length,
  };
  await uploadBlob(session, {
    repository,
    descriptor: config,
    signal,
    async *open() {
      yield content;
    },
  });
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: 'application/vnd.ocijs.deleted-tag',
    config,
    layers: [config],
    annotations: { 'dev.ocijs.deleted-tag': randomUUID() },
  });
  return { bytes, digest: digestBytes(bytes), mediaType: MediaType.manifest };
}

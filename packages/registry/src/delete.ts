import { type Digest, parseReference, type Reference } from '@ocijs/image';
import { deleteByDigest } from './delete-manifest.ts';
import { removeTag } from './delete-tag.ts';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';

/** What was deleted. */
export interface DeleteReport {
  readonly registry: string;
  readonly repository: string;
  /** Undefined when the manifest was deleted, with every tag that named it. */
  readonly tag: string | undefined;
  /** What the tag named, or the manifest that was deleted. */
  readonly digest: Digest;
}

/**
 * Deletes what a reference says and no more: a tag when it has a tag, leaving the manifest and its other tags
 * alone; a manifest, with all its tags, only when it has a digest and no tag. With both, the tag goes if it
 * still names the digest. A reference with neither means the tag `latest`, as everywhere.
 *
 * Throws ERR_OCI_REGISTRY_NOT_FOUND; ERR_OCI_DIGEST_MISMATCH when the tag has moved;
 * ERR_OCI_REGISTRY_UNSUPPORTED when the registry does not delete; `signal.reason`.
 */
export async function deleteReference(
  name: string | Reference,
  options: RegistryOptions = {},
): Promise<DeleteReport> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { registry, repository, tag, digest } = typeof name === 'string' ? parseReference(name) : name;
  await using session = createSession(registry, { ...options, repository, purpose: 'push' });
  if (tag === undefined && digest !== undefined) {
    await deleteByDigest(session, { repository, digest, signal });
    return { registry, repository, tag: undefined, digest };
  }
  const removed = { repository, tag: tag ?? 'latest', expected: digest, signal };
  return { registry, repository, tag: removed.tag, digest: await removeTag(session, removed) };
}

import { type Digest, type Manifest, parseManifestOrIndex, type Reference } from '@ocijs/image';
import { repositoryScope } from './auth/scope.ts';
import { endpoints } from './endpoints.ts';
import { RegistryError } from './errors.ts';
import { type CallOptions, getManifest } from './manifests.ts';
import { hasReferrersApi } from './referrers.ts';
import { changeReferrersTag } from './referrers-tag.ts';
import type { Session } from './session.ts';

/** What is deleted. */
export interface DeleteTarget extends CallOptions {
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/**
 * Sends one DELETE (distribution-spec "Deleting tags", "Deleting Manifests"). False when the registry does not
 * do it; other refusals throw.
 */
export function sendDelete(
  session: Session,
  { repository, reference, signal }: DeleteTarget,
): Promise<boolean> {
  return session.retrying(
    async () => {
      const response = await session.request({
        method: 'DELETE',
        target: endpoints.manifest(repository, reference),
        what: `deletion of ${repository}${reference.includes(':') ? '@' : ':'}${reference}`,
        accept: [200, 202, 204, 400, 404, 405, 501],
        scopes: [repositoryScope(repository, ['pull', 'push', 'delete']) ?? ''],
        signal,
      });
      await response.discard();
      return response.status < 300;
    },
    { signal },
  );
}

/**
 * Deletes a manifest by digest, and with it every tag that names it. An artifact is also taken out of the
 * fall-back tag of its subject, where the registry does not keep the list itself. Throws
 * ERR_OCI_REGISTRY_NOT_FOUND, ERR_OCI_REGISTRY_UNSUPPORTED.
 */
export async function deleteByDigest(
  session: Session,
  { repository, digest, signal }: CallOptions & { readonly repository: string; readonly digest: Digest },
): Promise<void> {
  const { bytes, mediaType } = await getManifest(session, { repository, reference: digest, signal });
  const parsed = parseManifestOrIndex(bytes, { mediaType });
  const { subject }: Pick<Manifest, 'subject'> = parsed.kind === 'index' ? parsed.index : parsed.manifest;
  if (!(await sendDelete(session, { repository, reference: digest, signal }))) {
    throw cannotDelete(session, { repository, digest });
  }
  if (subject === undefined) return;
  const listed = { repository, digest: subject.digest, signal };
  if (!(await hasReferrersApi(session, listed))) {
    await changeReferrersTag(session, { ...listed, remove: digest });
  }
}

/** The registry does not delete, at all or this manifest. */
export function cannotDelete(
  session: Session,
  { repository, digest }: Pick<Reference, 'repository'> & { readonly digest: Digest },
): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_UNSUPPORTED',
    `${session.registry} does not delete ${repository}@${digest}`,
    {
      digest,
      hint: 'registries may have deletion switched off, or keep what belongs to an index or is locked',
    },
  );
}

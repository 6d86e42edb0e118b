import { type Descriptor, type Digest, encodeJson, type Index, type Manifest, MediaType } from '@ocijs/image';
import { RegistryError } from './errors.ts';
import { type CallOptions, putManifest } from './manifests.ts';
import { readReferrersTag, referrersTag } from './referrers.ts';
import type { Session } from './session.ts';

/** One change of the referrers that are kept under a subject's fall-back tag. */
export interface ReferrersTagChange extends CallOptions {
  readonly repository: string;
  /** Of the subject. */
  readonly digest: Digest;
  readonly add?: Descriptor;
  readonly remove?: Digest;
}

/** How often the index is written again when another client wrote it meanwhile. */
const attempts = 5;

/**
 * Changes the index under a subject's fall-back tag (distribution-spec "Referrers Tag Schema"). Registries
 * offer no exchange in one step: the index is read back, and written again when another client's version
 * replaced ours. Throws ERR_OCI_REGISTRY_UNAVAILABLE when that happens again and again.
 */
export async function changeReferrersTag(session: Session, change: ReferrersTagChange): Promise<void> {
  const { repository, digest, signal } = change;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const index = await readReferrersTag(session, change);
    if (isDone(index, change)) return;
    const bytes = encodeJson(changed(index, change));
    const reference = referrersTag(digest);
    await putManifest(session, { repository, reference, bytes, mediaType: MediaType.index, signal });
  }
  if (isDone(await readReferrersTag(session, change), change)) return;
  throw new RegistryError(
    'ERR_OCI_REGISTRY_UNAVAILABLE',
    `index ${referrersTag(digest)} of ${repository} is being changed by another client all the time`,
    { digest, hint: 'try again: the artifact itself is in the registry' },
  );
}

function isDone(index: Index | undefined, { add, remove }: ReferrersTagChange): boolean {
  const digests = new Set(index?.manifests.map((entry) => entry.digest));
  return (add === undefined || digests.has(add.digest)) && (remove === undefined || !digests.has(remove));
}

function changed(index: Index | undefined, { add, remove }: ReferrersTagChange): Index {
  const others = (index?.manifests ?? []).filter(({ digest }) => digest !== remove && digest !== add?.digest);
  return {
    ...(index ?? { schemaVersion: 2, mediaType: MediaType.index }),
    manifests: add === undefined ? others : [...others, add],
  };
}

/** A manifest with a subject, as it is in the registry. */
export interface Referrer extends CallOptions {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly manifest: Pick<Manifest | Index, 'artifactType' | 'annotations' | 'subject'> & {
    readonly config?: Descriptor;
  };
}

/** Enters a manifest into the fall-back tag of its subject, as the registry would list it. */
export async function recordReferrer(
  session: Session,
  { repository, descriptor, manifest, signal }: Referrer,
): Promise<void> {
  const { subject, annotations, config, artifactType = config?.mediaType } = manifest;
  if (subject === undefined) return;
  const { mediaType, digest, size } = descriptor;
  const add: Descriptor = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  await changeReferrersTag(session, { repository, digest: subject.digest, add, signal });
}

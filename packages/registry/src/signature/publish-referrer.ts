import { type Descriptor, digestBytes, encodeJson, type Manifest, MediaType } from '@ocijs/image';
import { putManifest } from '../manifests.ts';
import { recordReferrer } from '../referrers-tag.ts';
import type { Session } from '../session.ts';
import { examineSignatures } from './examine.ts';
import { isNotSigned, isOfOneSignature, unacceptable } from './failure.ts';
import { artifactTypes } from './find-signatures.ts';
import { bundleType, encodeBundle } from './forms/bundle.ts';
import { envelopeBytes } from './forms/envelope.ts';
import { encodeClaim, layerAnnotations, simpleSigningType } from './forms/simple-signing.ts';
import { encodeStatement, signPredicate, statementType } from './forms/statement.ts';
import { keyTrust } from './key-trust.ts';
import { putBytes } from './put-bytes.ts';
import type { SignedDigest, SignRequest } from './sign.ts';

/** How a signature is kept in a manifest that refers to its image. */
export interface ReferrerRequest extends SignRequest {
  readonly form: 'referrer' | 'bundle';
}

/** Pushes a signature as an artifact that refers to the image. */
export async function publishReferrer(
  session: Session,
  request: ReferrerRequest,
): Promise<Omit<SignedDigest, 'digest'>> {
  const { registry, repository, subject, form, signal } = request;
  const existing = await findOurs(session, request);
  if (existing !== undefined) return { signature: `${registry}/${repository}@${existing}`, status: 'exists' };
  const empty = await putBytes(session, {
    repository,
    bytes: Buffer.from('{}'),
    mediaType: MediaType.empty,
    signal,
  });
  const layer = form === 'bundle' ? await putBundle(session, request) : await putClaim(session, request);
  const { mediaType, digest, size } = subject;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: artifactTypes[form],
    config: empty,
    layers: [layer],
    subject: { mediaType, digest, size },
    ...(form === 'bundle' ? { annotations: bundleAnnotations } : {}),
  };
  const bytes = encodeJson(manifest);
  const descriptor = { mediaType: MediaType.manifest, digest: digestBytes(bytes), size: bytes.length };
  const put = { repository, reference: descriptor.digest, bytes, mediaType: MediaType.manifest, signal };
  const { subjectKnown } = await putManifest(session, put);
  if (!subjectKnown) await recordReferrer(session, { repository, descriptor, manifest, signal });
  return { signature: `${registry}/${repository}@${descriptor.digest}`, status: 'pushed' };
}

/** By these other tools tell bundles apart without fetching them. */
const bundleAnnotations = {
  'dev.sigstore.bundle.content': 'dsse-envelope',
  'dev.sigstore.bundle.predicateType': signPredicate,
};

async function putClaim(session: Session, request: ReferrerRequest): Promise<Descriptor> {
  const { repository, subject, key, identity, annotations, signal } = request;
  const bytes = encodeClaim({ digest: subject.digest, identity, annotations });
  const layer = await putBytes(session, { repository, bytes, mediaType: simpleSigningType, signal });
  return {
    ...layer,
    annotations: { [layerAnnotations.signature]: key.sign(bytes).toString('base64') },
  };
}

async function putBundle(session: Session, request: ReferrerRequest): Promise<Descriptor> {
  const { repository, subject, key, annotations, signal } = request;
  const payload = encodeStatement({ digest: subject.digest, annotations });
  const signature = key.sign(envelopeBytes(statementType, payload));
  const bytes = encodeBundle({ payload, signature, publicKey: key.public.key });
  return putBytes(session, { repository, bytes, mediaType: bundleType, signal });
}

/** The digest of the blob in which the same key says the same in the same form. */
async function findOurs(session: Session, request: ReferrerRequest): Promise<string | undefined> {
  const { registry, repository, subject, key, identity, annotations, form, signal } = request;
  const wanted = JSON.stringify(Object.entries(annotations).sort());
  try {
    const found = await examineSignatures(session, {
      repository,
      digest: subject.digest,
      reference: { registry, repository },
      trust: keyTrust([key.public]),
      checkClaim: (claim) => {
        const isSame = JSON.stringify(Object.entries(claim.annotations).sort()) === wanted;
        const isNamed = claim.identity === undefined || claim.identity === identity;
        if (!isSame || !isNamed) throw unacceptable('it says something else');
      },
      enough: 'all',
      signal,
    });
    return found.find((each) => each.form === form)?.digest;
  } catch (error) {
    if (!isOfOneSignature(error) && !isNotSigned(error)) throw error;
    return undefined;
  }
}

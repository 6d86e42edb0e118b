import {
  type Descriptor,
  digestBytes,
  encodeJson,
  type Manifest,
  MediaType,
  parseManifest,
} from '@ocijs/image';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';
import { putManifest } from '../manifests.ts';
import type { Session } from '../session.ts';
import { signatureError } from './failure.ts';
import { readSignatureTag } from './find-signatures.ts';
import { encodeClaim, layerAnnotations, simpleSigningType } from './forms/simple-signing.ts';
import { isSignedBy } from './keys/public-key.ts';
import { putBytes } from './put-bytes.ts';
import type { SignedDigest, SignRequest } from './sign.ts';
import { signatureTag } from './signature-tag.ts';

/** How often the manifest is written again when another signer wrote it meanwhile. */
const attempts = 5;

/**
 * Adds a signature to the manifest under the image's `.sig` tag. Registries offer no exchange in one step: the manifest
 * is read back, and written again when another signer's version replaced ours. One that writes later, from what it read
 * before, is not noticed; signatures that refer to their image have no such window.
 */
export async function publishTagged(
  session: Session,
  request: SignRequest,
): Promise<Omit<SignedDigest, 'digest'>> {
  const { repository, subject, key, identity, annotations, signal } = request;
  const { digest } = subject;
  const reference = signatureTag(digest);
  if (reference === undefined) {
    throw signatureError('ERR_OCI_SIGNATURE_INVALID', `${digest} is too long for a tag with its signatures`, {
      digest,
      hint: 'sign with the form referrer or bundle',
    });
  }
  const payload = encodeClaim({ digest, identity, annotations });
  const layer = { mediaType: simpleSigningType, digest: digestBytes(payload), size: payload.length };
  const isOurs = (each: Descriptor): boolean =>
    each.digest === layer.digest &&
    isSignedBy(key.public, {
      data: payload,
      signature: Buffer.from(each.annotations?.[layerAnnotations.signature] ?? '', 'base64'),
    });
  const signed: Descriptor = {
    ...layer,
    annotations: { [layerAnnotations.signature]: key.sign(payload).toString('base64') },
  };
  for (let attempt = 0; attempt <= attempts; attempt++) {
    const present = await readLayers(session, request);
    if (present.some(isOurs))
      return {
        signature: `${request.registry}/${repository}:${reference}`,
        status: attempt === 0 ? 'exists' : 'pushed',
      };
    if (attempt === attempts) break;
    if (present.length >= limits.signatures) throw tooMany(subject);
    await putBytes(session, { repository, bytes: payload, mediaType: simpleSigningType, signal });
    const bytes = await manifestOf(session, { ...request, layers: [...present, signed] });
    await putManifest(session, { repository, reference, bytes, mediaType: MediaType.manifest, signal });
  }
  throw new RegistryError(
    'ERR_OCI_REGISTRY_UNAVAILABLE',
    `${reference} of ${repository} is being changed by another client all the time`,
    { digest, hint: 'try again' },
  );
}

async function readLayers(
  session: Session,
  { repository, subject, signal }: SignRequest,
): Promise<readonly Descriptor[]> {
  const fetched = await readSignatureTag(session, { repository, digest: subject.digest, signal });
  if (fetched === undefined) return [];
  return parseManifest(fetched.bytes, { mediaType: fetched.mediaType }).layers;
}

/** Tools expect the form of an image: a config that lists the signed documents as if they were layers. */
async function manifestOf(
  session: Session,
  { repository, layers, signal }: SignRequest & { readonly layers: readonly Descriptor[] },
): Promise<Uint8Array> {
  const bytes = encodeJson({
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const config = await putBytes(session, { repository, bytes, mediaType: MediaType.config, signal });
  const manifest: Manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers };
  return encodeJson(manifest);
}

function tooMany({ digest }: Descriptor): Error {
  return signatureError(
    'ERR_OCI_SIGNATURE_INVALID',
    `${digest} has ${limits.signatures} signatures already, and nobody would look at another`,
    { digest, limit: limits.signatures, hint: 'delete the tag with its signatures, and sign again' },
  );
}

import { createHash, type KeyObject } from 'node:crypto';
import { encodeJson } from '@ocijs/image';
import { limits } from '../../limits.ts';
import { unacceptable } from '../failure.ts';
import { asBytes, asRecord, asText, type JsonRecord, readRecord } from '../json.ts';
import { statementType } from './statement.ts';

/** The media type of a bundle, and the artifact type of the manifest that holds it. */
export const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const bundleTypes = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d\+json|\+json;version=0\.\d)$/;

/** True for the types of every version of the bundle. */
export function isBundleType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && bundleTypes.test(mediaType);
}

/** A sigstore bundle with an envelope; nothing of it is verified. */
export interface SigstoreBundle {
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signature: Buffer;
  readonly hasCertificate: boolean;
  readonly document: JsonRecord;
}

/** Reads a bundle. Throws ERR_OCI_SIGNATURE_INVALID, ERR_OCI_JSON_INVALID, ERR_OCI_LIMIT_EXCEEDED. */
export function parseBundle(bytes: Uint8Array): SigstoreBundle {
  const document = readRecord(bytes, { limit: limits.signatureBundleBytes, what: 'bundle' });
  if (!isBundleType(asText(document['mediaType'], 'mediaType')))
    throw unacceptable('the bundle is of a version that is not known');
  const material = asRecord(document['verificationMaterial'], 'verificationMaterial');
  if (document['dsseEnvelope'] === undefined)
    throw unacceptable('the bundle has no envelope with a statement');
  const envelope = asRecord(document['dsseEnvelope'], 'dsseEnvelope');
  const signatures = envelope['signatures'];
  if (!Array.isArray(signatures) || signatures.length !== 1)
    throw unacceptable('the envelope does not have one signature');
  const payloadType = asText(envelope['payloadType'], 'payloadType');
  if (payloadType !== statementType) throw unacceptable('the envelope holds no in-toto statement');
  return {
    payload: asBytes(envelope['payload'], 'payload'),
    payloadType,
    signature: asBytes(asRecord(signatures[0], 'signature')['sig'], 'sig'),
    hasCertificate: material['certificate'] !== undefined || material['x509CertificateChain'] !== undefined,
    document,
  };
}

/** A bundle for a signature by a key, without transparency log. */
export function encodeBundle({
  payload,
  signature,
  publicKey,
}: {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
}): Uint8Array {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return encodeJson({
    mediaType: bundleType,
    verificationMaterial: {
      publicKey: { hint: createHash('sha256').update(spki).digest('base64') },
    },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType: statementType,
      signatures: [{ sig: Buffer.from(signature).toString('base64') }],
    },
  });
}

import type { KeyObject } from 'node:crypto';
import { signatureError } from '../failure.ts';

/** Hashes that go with a key; null where the algorithm hashes by itself. The first one signs. */
export type KeyHashes = readonly ('sha256' | 'sha384' | 'sha512' | null)[];

/**
 * Larger curves are signed with SHA-256 by cosign's first form and with their own hash by the bundle form: a
 * signature of either is one of the key.
 */
const curveHashes: Readonly<Record<string, KeyHashes>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha256', 'sha384'],
  secp521r1: ['sha256', 'sha512'],
};

/** Fewer bits can be factored. */
const leastRsaBits = 2048;

/** The hashes that a key of this kind is used with. Throws ERR_OCI_SIGNATURE_KEY_INVALID for other kinds. */
export function hashesOf(key: KeyObject, what: string): KeyHashes {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return [null];
  if (type === 'ec') {
    const hashes = curveHashes[details.namedCurve ?? ''];
    if (hashes !== undefined) return hashes;
    throw unsupported(what, `the curve ${details.namedCurve} is not supported`);
  }
  if (type === 'rsa') {
    if ((details.modulusLength ?? 0) >= leastRsaBits) return ['sha256'];
    throw unsupported(what, `${details.modulusLength} bits of RSA are too few`);
  }
  throw unsupported(what, `keys of the type ${type} are not supported`);
}

function unsupported(what: string, reason: string): Error {
  return signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${what} cannot be used: ${reason}`, {
    hint: 'use an ECDSA P-256 key, as oci generate-key-pair makes it',
  });
}

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { signatureError } from '../failure.ts';
import { hashesOf, type KeyHashes } from './algorithm.ts';
import { onlyBlock } from './pem.ts';

/** A key that signatures are checked with. */
export interface VerificationKey {
  /** For messages, such as the file's path. */
  readonly name: string;
  readonly key: KeyObject;
  readonly hashes: KeyHashes;
}

/**
 * Reads a public key in PEM form: ECDSA on P-256, P-384 or P-521, RSA of at least 2048 bits, or Ed25519. Throws
 * ERR_OCI_SIGNATURE_KEY_INVALID.
 */
export function parsePublicKey(pem: string | Uint8Array, name = 'public key'): VerificationKey {
  const { label, bytes } = onlyBlock(pem, name);
  if (label.includes('PRIVATE'))
    throw invalid(`${name} is a private key`, 'verify with the public one, such as cosign.pub');
  if (label === 'CERTIFICATE')
    throw invalid(`${name} is a certificate, not a key`, 'openssl x509 -pubkey -noout writes its key');
  if (label !== 'PUBLIC KEY')
    throw invalid(`${name} is a ${label}, which is no form of public key that is known`);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  } catch (cause) {
    throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${name} is not a public key`, { cause });
  }
  return { name, key, hashes: hashesOf(key, name) };
}

/** True when the signature is the key's, over exactly these bytes. */
export function isSignedBy(
  { key, hashes }: VerificationKey,
  { data, signature }: { readonly data: Uint8Array; readonly signature: Uint8Array },
): boolean {
  return hashes.some((hash) => verify(hash, data, key, signature));
}

function invalid(message: string, hint?: string): Error {
  return signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', message, hint === undefined ? {} : { hint });
}

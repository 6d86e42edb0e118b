import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { signatureError } from '../failure.ts';
import { hashesOf } from './algorithm.ts';
import { decryptKey, encryptedLabels } from './encrypted-key.ts';
import { onlyBlock, type PemBlock } from './pem.ts';
import type { VerificationKey } from './public-key.ts';

/** A key that signs. */
export interface SigningKey {
  sign(data: Uint8Array): Buffer;
  readonly public: VerificationKey;
}

/** What a private key needs besides its text. */
export interface SigningKeyOptions {
  /** Of an encrypted key; may be empty. */
  readonly password?: string | Uint8Array | undefined;
  /** For messages. Default `private key`. */
  readonly name?: string | undefined;
}

/**
 * Reads a private key, ECDSA P-256 or RSA: encrypted as cosign writes it, or PKCS#8, SEC 1 and PKCS#1 in PEM. Throws
 * ERR_OCI_SIGNATURE_KEY_INVALID.
 */
export async function parseSigningKey(
  pem: string | Uint8Array,
  { password, name = 'private key' }: SigningKeyOptions = {},
): Promise<SigningKey> {
  const key = await privateKey(onlyBlock(pem, name), { password, name });
  const publicKey = createPublicKey(key);
  const hashes = hashesOf(publicKey, name);
  const [hash] = hashes;
  if (hash === undefined || hash === null || hashes.length > 1)
    throw invalid(`${name} cannot sign: tools agree on ECDSA P-256 and RSA only`);
  return {
    sign: (data) => sign(hash, data, key),
    public: { name, key: publicKey, hashes },
  };
}

async function privateKey(
  { label, bytes }: PemBlock,
  options: SigningKeyOptions & { readonly name: string },
): Promise<KeyObject> {
  const { name, password } = options;
  if (label === 'PUBLIC KEY')
    throw invalid(`${name} is a public key`, 'sign with the private one, such as cosign.key');
  if (encryptedLabels.has(label)) {
    if (password === undefined)
      throw invalid(
        `${name} is encrypted, and no password was given`,
        'set COSIGN_PASSWORD, or name a file with --key-password-file',
      );
    const plain = await decryptKey(bytes, { password, what: name });
    return readDer({ key: Buffer.from(plain), type: 'pkcs8' }, name);
  }
  switch (label) {
    case 'PRIVATE KEY':
      return readDer({ key: bytes, type: 'pkcs8' }, name);
    case 'EC PRIVATE KEY':
      return readDer({ key: bytes, type: 'sec1' }, name);
    case 'RSA PRIVATE KEY':
      return readDer({ key: bytes, type: 'pkcs1' }, name);
    default:
      throw invalid(
        `${name} is a ${label}, which is no form of private key that is known`,
        'oci generate-key-pair makes a key',
      );
  }
}

function readDer(
  { key, type }: { readonly key: Buffer; readonly type: 'pkcs8' | 'sec1' | 'pkcs1' },
  name: string,
): KeyObject {
  try {
    return createPrivateKey({ key, format: 'der', type });
  } catch (cause) {
    throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${name} is damaged`, { cause });
  }
}

function invalid(message: string, hint?: string): Error {
  return signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', message, hint === undefined ? {} : { hint });
}

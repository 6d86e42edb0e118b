import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { encodeJson } from '@ocijs/image';
import { limits } from '../../limits.ts';
import { signatureError, unacceptable } from '../failure.ts';
import { asBytes, asRecord, readRecord } from '../json.ts';
import { openBox, sealBox } from './secret-box.ts';

/** What cosign calls its private keys, now and in its first version. */
export const encryptedLabels: ReadonlySet<string> = new Set([
  'ENCRYPTED SIGSTORE PRIVATE KEY',
  'ENCRYPTED COSIGN PRIVATE KEY',
]);

/** The costs of scrypt that tools use; others could be chosen by whoever wants to occupy this machine. */
const knownCosts: readonly number[] = [32_768, 65_536, 131_072];
const newCost = 65_536;

/** The names are those of the file format. */
interface ScryptParameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** Decrypts a private key in cosign's form. Throws ERR_OCI_SIGNATURE_KEY_INVALID. */
export async function decryptKey(
  document: Uint8Array,
  { password, what }: { readonly password: string | Uint8Array; readonly what: string },
): Promise<Uint8Array> {
  const { salt, nonce, sealed, parameters } = readDocument(document, what);
  const key = await deriveKey(password, { salt, parameters });
  const plain = openBox(sealed, { key, nonce });
  if (plain !== undefined) return plain;
  throw signatureError(
    'ERR_OCI_SIGNATURE_KEY_INVALID',
    `${what} cannot be decrypted: the password is another, or the file is damaged`,
    { hint: 'set COSIGN_PASSWORD, or name a file with --key-password-file' },
  );
}

/** Encrypts a private key in cosign's form. */
export async function encryptKey(
  plain: Uint8Array,
  { password }: { readonly password: string | Uint8Array },
): Promise<Uint8Array> {
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const parameters: ScryptParameters = { N: newCost, r: 8, p: 1 };
  const key = await deriveKey(password, { salt, parameters });
  const sealed = Buffer.from(sealBox(plain, { key, nonce }));
  return encodeJson({
    kdf: { name: 'scrypt', params: parameters, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: sealed.toString('base64'),
  });
}

interface EncryptedDocument {
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
  readonly parameters: ScryptParameters;
}

function readDocument(bytes: Uint8Array, what: string): EncryptedDocument {
  try {
    const document = readRecord(bytes, { limit: limits.keyFileBytes, what });
    const derivation = asRecord(document['kdf'], 'kdf');
    const cipher = asRecord(document['cipher'], 'cipher');
    if (derivation['name'] !== 'scrypt') throw unacceptable('the key derivation is not scrypt');
    if (cipher['name'] !== 'nacl/secretbox') throw unacceptable('the cipher is not nacl/secretbox');
    const { N, r, p } = asRecord(derivation['params'], 'kdf.params');
    if (typeof N !== 'number' || !knownCosts.includes(N) || r !== 8 || p !== 1)
      throw unacceptable('the parameters of scrypt are none that cosign uses');
    const nonce = asBytes(cipher['nonce'], 'nonce');
    if (nonce.length !== 24) throw unacceptable('the nonce does not have 24 bytes');
    const salt = asBytes(derivation['salt'], 'salt');
    return { salt, nonce, sealed: asBytes(document['ciphertext'], 'ciphertext'), parameters: { N, r, p } };
  } catch (cause) {
    const reason = (cause as Error).message;
    throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${what} is damaged: ${reason}`, { cause });
  }
}

function deriveKey(
  password: string | Uint8Array,
  { salt, parameters }: { readonly salt: Uint8Array; readonly parameters: ScryptParameters },
): Promise<Uint8Array> {
  const { N, r, p } = parameters;
  // Node refuses more than 32 MiB unless told; scrypt needs 128 * N * r bytes and a little more.
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

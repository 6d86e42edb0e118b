import { generateKeyPair as generate } from 'node:crypto';
import { promisify } from 'node:util';
import { encryptKey } from './encrypted-key.ts';
import { formatPem } from './pem.ts';

/** Both halves of a key, in PEM form. */
export interface KeyPair {
  /** Encrypted, as cosign's `cosign.key`. */
  readonly privateKey: string;
  /** As cosign's `cosign.pub`. */
  readonly publicKey: string;
}

/** Makes an ECDSA P-256 key, encrypted with the password, in the form that cosign, skopeo and podman read. */
export async function generateKeyPair({
  password,
}: {
  readonly password: string | Uint8Array;
}): Promise<KeyPair> {
  const { privateKey, publicKey } = await promisify(generate)('ec', { namedCurve: 'P-256' });
  const plain = privateKey.export({ format: 'der', type: 'pkcs8' });
  // Every version of cosign and of skopeo reads this label; "SIGSTORE" in its place is refused by older ones.
  const encrypted = formatPem('ENCRYPTED COSIGN PRIVATE KEY', await encryptKey(plain, { password }));
  return { privateKey: encrypted, publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })) };
}

import { signatureError } from '../failure.ts';

/** One block of PEM (RFC 7468). */
export interface PemBlock {
  /** Such as `PUBLIC KEY`. */
  readonly label: string;
  readonly bytes: Buffer;
}

const form = /-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([A-Za-z0-9+/=\s]+?)-----END \1-----/g;

/** Every block of a PEM text, in order; text between them is passed over. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(form)].map(([, label = '', body = '']) => ({
    label,
    bytes: Buffer.from(body, 'base64'),
  }));
}

/** The only block of a key file. Throws ERR_OCI_SIGNATURE_KEY_INVALID when there are none or several. */
export function onlyBlock(pem: string | Uint8Array, what: string): PemBlock {
  const [block, ...others] = pemBlocks(typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1'));
  if (block !== undefined && others.length === 0) return block;
  throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${what} is not one key in PEM form`, {
    hint: what.startsWith('private')
      ? 'keys are made by `oci generate-key-pair`, cosign or openssl, and begin with -----BEGIN'
      : 'a public key begins with -----BEGIN PUBLIC KEY-----',
  });
}

/** Bytes as a block of PEM. */
export function formatPem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

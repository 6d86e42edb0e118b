import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

/** A key and a number that is used with it once. */
export interface BoxKey {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 24 bytes. */
  readonly nonce: Uint8Array;
}

/** Encrypts and authenticates, as NaCl's secretbox. */
export function sealBox(plain: Uint8Array, { key, nonce }: BoxKey): Uint8Array {
  return xsalsa20poly1305(key, nonce).encrypt(plain);
}

/** The reverse; undefined when key or content are not what they were. */
export function openBox(sealed: Uint8Array, { key, nonce }: BoxKey): Uint8Array | undefined {
  try {
    return xsalsa20poly1305(key, nonce).decrypt(sealed);
  } catch {
    // The library says by an error, without a code, that the authentication tag is another.
    return undefined;
  }
}

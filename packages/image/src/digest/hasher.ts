import { createHash, type Hash, hash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Digest, DigestAlgorithm } from './digest.ts';

type Blake3 = typeof import('@noble/hashes/blake3.js').blake3;

let blake3Module: Blake3 | undefined;

// Loaded on the first use: few images have blake3 digests, and every start of a command would pay for it.
function loadBlake3(): Blake3 {
  blake3Module ??= (
    createRequire(import.meta.url)('@noble/hashes/blake3.js') as typeof import('@noble/hashes/blake3.js')
  ).blake3;
  return blake3Module;
}

/** Computes one digest over bytes that come in pieces. */
export interface Hasher {
  /** Adds bytes; they may be reused by the caller afterwards. Not allowed after {@link Hasher.digest}. */
  update(chunk: Uint8Array): void;
  /** The digest of everything added. Ends this hasher: call it once. */
  digest(): Digest;
  /** A second hasher that continues independently from the same state. */
  copy(): Hasher;
}

function opensslHasher(algorithm: 'sha256' | 'sha512', state: Hash): Hasher {
  return {
    update: (chunk) => {
      state.update(chunk);
    },
    digest: () => `${algorithm}:${state.digest('hex')}` as Digest,
    copy: () => opensslHasher(algorithm, state.copy()),
  };
}

function blake3Hasher(state: ReturnType<Blake3['create']>): Hasher {
  return {
    update: (chunk) => {
      state.update(chunk);
    },
    digest: () => `blake3:${Buffer.from(state.digest()).toString('hex')}` as Digest,
    copy: () => blake3Hasher(state.clone()),
  };
}

/** Starts a digest computation: OpenSSL for SHA-2, portable code for blake3. */
export function createHasher(algorithm: DigestAlgorithm): Hasher {
  return algorithm === 'blake3'
    ? blake3Hasher(loadBlake3().create())
    : opensslHasher(algorithm, createHash(algorithm));
}

/** The digest of bytes in memory. */
export function digestBytes(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const hex =
    algorithm === 'blake3' ? Buffer.from(loadBlake3()(bytes)).toString('hex') : hash(algorithm, bytes, 'hex');
  return `${algorithm}:${hex}` as Digest;
}

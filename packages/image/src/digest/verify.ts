import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { abortable } from './abortable.ts';
import { type Digest, digestAlgorithm } from './digest.ts';
import { createHasher, digestBytes } from './hasher.ts';

/** What content must be: its digest, and its size in bytes. */
export type ExpectedContent = Pick<Descriptor, 'digest' | 'size'>;

/** Checks content against its descriptor while it passes, synchronously. */
export interface Verifier {
  /** Bytes seen so far. */
  readonly received: number;
  /** Adds bytes. Throws ERR_OCI_SIZE_MISMATCH as soon as they are more than expected. */
  update(chunk: Uint8Array): void;
  /** Ends the content. Throws ERR_OCI_SIZE_MISMATCH when it is short, then ERR_OCI_DIGEST_MISMATCH. */
  finish(): void;
}

/** Options of {@link verifiedStream}. */
export interface VerifiedStreamOptions extends ExpectedContent {
  readonly signal?: AbortSignal | undefined;
}

function tooLong({ digest, size }: ExpectedContent, received: number): ImageError {
  return new ImageError('ERR_OCI_SIZE_MISMATCH', `content of ${digest} is longer than its ${size} bytes`, {
    digest,
    expected: size,
    actual: received,
    hint: 'the source sends something else than the descriptor promises; do not trust it',
  });
}

function tooShort({ digest, size }: ExpectedContent, received: number): ImageError {
  return new ImageError(
    'ERR_OCI_SIZE_MISMATCH',
    `content of ${digest} ended after ${received} of ${size} bytes`,
    { digest, expected: size, actual: received, hint: 'the transfer was cut off; try again' },
  );
}

function checkDigest(expected: Digest, actual: Digest): void {
  if (actual === expected) return;
  throw new ImageError('ERR_OCI_DIGEST_MISMATCH', `content of ${expected} has the digest ${actual}`, {
    digest: expected,
    expected,
    actual,
    hint: 'the content was damaged or replaced; fetch it again, from another source if it stays so',
  });
}

/**
 * Starts the check of content that arrives in pieces.
 * Throws ERR_OCI_DIGEST_UNSUPPORTED when the digest's algorithm is not registered.
 */
export function createVerifier(expected: ExpectedContent): Verifier {
  const { digest, size } = expected;
  const hasher = createHasher(digestAlgorithm(digest));
  let received = 0;
  return {
    get received() {
      return received;
    },
    update(chunk) {
      received += chunk.length;
      // Written so that a size that is not a number fails too.
      if (!(received <= size)) throw tooLong(expected, received);
      hasher.update(chunk);
    },
    finish() {
      if (received !== size) throw tooShort(expected, received);
      checkDigest(digest, hasher.digest());
    },
  };
}

/**
 * The gate for every byte from outside: passes content on while counting and hashing it, and never ends cleanly
 * unless size and digest are right. Content beyond `size` is refused before it is passed on.
 *
 * Throws ERR_OCI_SIZE_MISMATCH, ERR_OCI_DIGEST_MISMATCH, ERR_OCI_DIGEST_UNSUPPORTED, `signal.reason`, or what the
 * source throws. Whenever it stops before the source's end, it calls the source's `return()`.
 */
export async function* verifiedStream(
  source: AsyncIterable<Uint8Array>,
  { digest, size, signal }: VerifiedStreamOptions,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const verifier = createVerifier({ digest, size });
  for await (const chunk of abortable(source, signal)) {
    verifier.update(chunk);
    yield chunk;
  }
  verifier.finish();
}

/**
 * Checks bytes in memory against a descriptor.
 * Throws ERR_OCI_SIZE_MISMATCH, ERR_OCI_DIGEST_MISMATCH or ERR_OCI_DIGEST_UNSUPPORTED.
 */
export function verifyBytes(bytes: Uint8Array, expected: ExpectedContent): void {
  const algorithm = digestAlgorithm(expected.digest);
  if (bytes.length > expected.size) throw tooLong(expected, bytes.length);
  if (bytes.length !== expected.size) throw tooShort(expected, bytes.length);
  checkDigest(expected.digest, digestBytes(bytes, algorithm));
}

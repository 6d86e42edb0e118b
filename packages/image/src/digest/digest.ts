import { ImageError } from '../errors.ts';
import { DIGEST_LIMIT } from '../limits.ts';

declare const digestBrand: unique symbol;

/**
 * A digest of checked grammar, `algorithm:encoded` (image-spec `descriptor.md`, "Digests"): safe inside a path or URL.
 * What {@link parseDigest} returns is also of a registered algorithm; a descriptor may carry an unregistered one.
 */
export type Digest = `${string}:${string}` & { readonly [digestBrand]: true };

/** The algorithms that content can be verified with. */
export type DigestAlgorithm = 'sha256' | 'sha512' | 'blake3';

const hexLengths: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128, blake3: 64 };
const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const hexadecimal = /^[0-9a-f]+$/;

function isRegistered(algorithm: string): algorithm is DigestAlgorithm {
  return Object.hasOwn(hexLengths, algorithm);
}

/** What is wrong with a digest's text, or undefined when nothing is. */
function grammarFault(text: string): string | undefined {
  if (text.length > DIGEST_LIMIT) return `longer than ${DIGEST_LIMIT} characters`;
  if (!grammar.test(text)) return 'not of the form algorithm:encoded';
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (!isRegistered(algorithm)) return undefined;
  const encoded = text.slice(colon + 1);
  if (encoded.length !== hexLengths[algorithm])
    return `${encoded.length} characters after "${algorithm}:" instead of ${hexLengths[algorithm]}`;
  return hexadecimal.test(encoded) ? undefined : 'not in lower-case hexadecimal';
}

function unsupported(digest: string): ImageError {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  return new ImageError('ERR_OCI_DIGEST_UNSUPPORTED', `digest algorithm "${algorithm}" is not supported`, {
    digest,
    hint: `content can be verified with ${Object.keys(hexLengths).join(', ')}`,
  });
}

/**
 * Checks the grammar of a digest of any algorithm, and the length of a registered one, as a descriptor must be read.
 * Throws ERR_OCI_DIGEST_INVALID.
 */
export function parseAnyDigest(text: string): Digest {
  const fault = grammarFault(text);
  if (fault !== undefined) {
    const shown = text.length > 160 ? `${text.slice(0, 160)}…` : text;
    throw new ImageError('ERR_OCI_DIGEST_INVALID', `digest ${JSON.stringify(shown)} is invalid: ${fault}`, {
      digest: shown,
      hint: 'a digest looks like sha256: followed by 64 characters of 0-9 and a-f',
    });
  }
  return text as Digest;
}

/**
 * Reads a digest that content can be verified with.
 * Throws ERR_OCI_DIGEST_INVALID, or ERR_OCI_DIGEST_UNSUPPORTED when the form is right and the algorithm is not registered.
 */
export function parseDigest(text: string): Digest {
  const digest = parseAnyDigest(text);
  if (!isRegistered(digest.slice(0, digest.indexOf(':')))) throw unsupported(digest);
  return digest;
}

/** True when {@link parseDigest} accepts the text. */
export function isDigest(text: string): text is Digest {
  return grammarFault(text) === undefined && isRegistered(text.slice(0, text.indexOf(':')));
}

/** The algorithm of a digest. Throws ERR_OCI_DIGEST_UNSUPPORTED when content cannot be verified with it. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  const algorithm = digest.slice(0, digest.indexOf(':'));
  if (!isRegistered(algorithm)) throw unsupported(digest);
  return algorithm;
}

/** What follows the colon: hexadecimal for every registered algorithm. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

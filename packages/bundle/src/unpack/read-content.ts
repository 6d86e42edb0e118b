import { decompress } from '@ocijs/image/compression';
import { createHasher, createVerifier, digestAlgorithm } from '@ocijs/image/digest';
import { contentSize } from '../limits.ts';
import type { LayerTask } from './layer-task.ts';

/** What {@link readContent} works with. */
export interface ReadContentOptions {
  /** The blob's bytes, unverified, in buffers of their own. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onProgress: (done: number) => void;
  /** Takes the next piece of the content to keep. Resolves to false when no more of it is needed. */
  readonly onContent: (chunk: Uint8Array) => Promise<boolean>;
}

/** How it ended for a blob that is what its descriptor says. */
export interface ContentOutcome {
  /** Of all that was passed on. */
  readonly digest: string;
  /** Decompressing failed. */
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Reads the blob of a layer to its end: counts, hashes, decompresses, hashes what comes out, and passes it on.
 * node:zlib decompresses in a thread of its own, while this one hashes. Throws ERR_OCI_SIZE_MISMATCH and
 * ERR_OCI_DIGEST_MISMATCH for a damaged blob, also when that made decompression fail, and what the source throws.
 */
export async function readContent(
  { descriptor, diffId }: LayerTask,
  { source, checkStop, onProgress, onContent }: ReadContentOptions,
): Promise<ContentOutcome> {
  const verifier = createVerifier(descriptor);
  const content = createHasher(digestAlgorithm(diffId));
  const chunks = source[Symbol.asyncIterator]();
  let ended = false;
  let damage: { readonly error: unknown } | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function next(): Promise<Uint8Array | undefined> {
    try {
      checkStop();
      const { value, done } = await chunks.next();
      ended = done === true;
      if (done === true) return undefined;
      verifier.update(value);
      onProgress(verifier.received);
      return value;
    } catch (error) {
      damage = { error };
      throw error;
    }
  }

  /** Whoever reads this may stop early: the source stays open, since the rest of the blob is verified too. */
  async function* verified(): AsyncGenerator<Uint8Array> {
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
  }

  try {
    try {
      for await (const chunk of decompress(verified(), { chunkSize: contentSize })) {
        checkStop();
        content.update(chunk);
        if (!(await onContent(chunk))) break;
      }
    } catch (error) {
      failure = { error };
    }
    if (damage !== undefined) throw (damage as { readonly error: unknown }).error;
    while (!ended) await next();
    checkStop();
    verifier.finish();
    return { digest: content.digest(), failure };
  } finally {
    await chunks.return?.();
  }
}

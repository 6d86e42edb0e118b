import { createVerifier } from '@ocijs/image/digest';
import { ContentUnwantedError } from './content-ring.ts';
import type { Inflater } from './inflater.ts';
import type { LayerTask } from './layer-task.ts';

/** What {@link readContent} works with. */
export interface ReadContentOptions {
  /** The blob's bytes, unverified. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Takes them once they are counted and hashed. */
  readonly inflater: Inflater;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onProgress: (done: number) => void;
}

/** Decompressing, or what takes its output, failed for a blob that is what its descriptor says. */
export interface ContentFailure {
  readonly error: unknown;
}

/**
 * Reads the blob of a layer to its end: each chunk is counted, hashed and decompressed. Throws ERR_OCI_SIZE_MISMATCH
 * and ERR_OCI_DIGEST_MISMATCH for a damaged blob, also when the damage made decompression fail, and what the source
 * throws. Returns the failure of everything behind it, if there was one.
 */
export async function readContent(
  { descriptor }: Pick<LayerTask, 'descriptor'>,
  { source, inflater, checkStop, onProgress }: ReadContentOptions,
): Promise<ContentFailure | undefined> {
  const verifier = createVerifier(descriptor);
  let failure: ContentFailure | undefined;
  let unwanted = false;

  async function attempt(action: () => void | Promise<void>): Promise<void> {
    if (failure !== undefined || unwanted) return;
    try {
      const waiting = action();
      if (waiting !== undefined) await waiting;
    } catch (error) {
      if (error instanceof ContentUnwantedError) unwanted = true;
      else failure = { error };
    }
  }

  for await (const chunk of source) {
    checkStop();
    verifier.update(chunk);
    await attempt(() => inflater.push(chunk));
    onProgress(verifier.received);
  }
  checkStop();
  verifier.finish();
  await attempt(() => inflater.finish());
  return failure;
}

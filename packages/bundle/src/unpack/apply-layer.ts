import { detectCompression } from '@ocijs/image/compression';
import { createHasher, createVerifier, digestAlgorithm } from '@ocijs/image/digest';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { createInflater, type Inflater } from './inflater.ts';
import type { LayerTask } from './layer-task.ts';
import { createLayerWriter } from './layer-writer.ts';

/** What {@link applyLayer} works with. */
export interface ApplyLayerOptions {
  /** The blob's bytes, unverified, in buffers of their own. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onProgress: (done: number) => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/** Enough bytes to know a compression by its first ones. */
const signatureBytes = 8;

/**
 * Applies one layer: bytes are counted and hashed, decompressed, hashed again, parsed and written, chunk by chunk.
 * Returns how many entries there were. Only a return means that the layer was what its descriptor and the image
 * configuration say; damage is reported as such (ERR_OCI_SIZE_MISMATCH, ERR_OCI_DIGEST_MISMATCH), even when it made
 * an earlier stage fail first.
 */
export async function applyLayer(task: LayerTask, options: ApplyLayerOptions): Promise<number> {
  const { source, checkStop, onProgress, onWarning } = options;
  const verifier = createVerifier(task.descriptor);
  const content = createHasher(digestAlgorithm(task.diffId));
  using writer = createLayerWriter(task, onWarning);
  const blob = createBlobReader((chunk) => {
    checkStop();
    content.update(chunk);
    writer.push(chunk);
  });
  let failure: { readonly error: unknown } | undefined;
  for await (const chunk of source) {
    checkStop();
    verifier.update(chunk);
    if (failure === undefined) failure = await attempt(() => blob.push(chunk));
    onProgress(verifier.received);
  }
  checkStop();
  verifier.finish();
  failure ??= await attempt(() => blob.finish());
  if (failure !== undefined) throw failure.error;
  return writer.finish(content.digest());
}

async function attempt(action: () => void | Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** An inflater that finds out about the compression itself: media types are wrong often enough. */
function createBlobReader(onOutput: (chunk: Uint8Array) => void): Inflater {
  let start: Buffer = Buffer.of();
  let inflater: Inflater | undefined;
  function begin(): void | Promise<void> {
    inflater = createInflater(detectCompression(start), onOutput);
    return inflater.push(start);
  }
  return {
    push(chunk) {
      if (inflater !== undefined) return inflater.push(chunk);
      start = Buffer.concat([start, chunk]);
      return start.length < signatureBytes ? undefined : begin();
    },
    async finish() {
      if (inflater === undefined) await begin();
      await inflater?.finish();
    },
  };
}

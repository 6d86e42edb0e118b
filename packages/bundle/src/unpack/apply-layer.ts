import {
  createHasher,
  createTarParser,
  createVerifier,
  detectCompression,
  digestAlgorithm,
  ImageError,
} from '@ocijs/image';
import { createLayerApplier } from '../rootfs/layer.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { createInflater, type Inflater } from './inflater.ts';
import type { LayerTask } from './layer-task.ts';

/** What {@link applyLayer} works with. */
export interface ApplyLayerOptions {
  /** The blob's bytes, unverified. */
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
  using applier = createLayerApplier(task.rootfs, { ...task, operations: linuxOperations(), onWarning });
  const parser = createTarParser(applier);
  const blob = createBlobReader((chunk) => {
    checkStop();
    content.update(chunk);
    parser.push(chunk);
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
  parser.finish();
  checkContent(task, content.digest());
  applier.finish();
  return applier.entries;
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

function checkContent({ descriptor, diffId }: LayerTask, actual: string): void {
  if (actual === diffId) return;
  throw new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `the uncompressed content of layer ${descriptor.digest} has digest ${actual}, the image configuration says ${diffId}`,
    {
      digest: descriptor.digest,
      expected: diffId,
      actual,
      hint: 'the image is inconsistent; ask whoever made it, or pull it again',
    },
  );
}

import { createHasher, digestAlgorithm } from '@ocijs/image/digest';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { checkContent } from './check-content.ts';
import { createInflater, detectingInflater, type Inflater } from './inflater.ts';
import type { LayerTask } from './layer-task.ts';
import { createLayerWriter } from './layer-writer.ts';
import { readContent } from './read-content.ts';

/** What {@link applyLayer} works with. */
export interface ApplyLayerOptions {
  /** The blob's bytes, unverified, by way of the inflater that they will be pushed into. */
  readonly source: (inflater: Inflater) => AsyncIterable<Uint8Array>;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onProgress: (done: number) => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/**
 * Applies one layer: bytes are counted and hashed, decompressed, hashed again, parsed and written, chunk by chunk.
 * Returns how many entries there were. Only a return means that the layer was what its descriptor and the image
 * configuration say; damage is reported as such (ERR_OCI_SIZE_MISMATCH, ERR_OCI_DIGEST_MISMATCH), even when it made
 * an earlier stage fail first.
 */
export async function applyLayer(task: LayerTask, options: ApplyLayerOptions): Promise<number> {
  const { source, checkStop, onProgress, onWarning } = options;
  const content = createHasher(digestAlgorithm(task.diffId));
  using writer = createLayerWriter(task, onWarning);
  const inflater = detectingInflater((compression) =>
    createInflater(compression, {
      onOutput(chunk) {
        checkStop();
        content.update(chunk);
        writer.push(chunk);
      },
      limits: task.limits,
    }),
  );
  const failure = await readContent(task, { source: source(inflater), inflater, checkStop, onProgress });
  if (failure !== undefined) throw failure.error;
  writer.finishArchive();
  checkContent(task, content.digest());
  return writer.finish();
}

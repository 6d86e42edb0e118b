import { ImageError } from '@ocijs/image/errors';
import { createTarParser } from '@ocijs/image/tar';
import { createLayerApplier } from '../rootfs/layer.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { overlayOperations } from '../rootfs/overlay/overlay-operations.ts';
import type { LayerTask } from './layer-task.ts';

/** Writes the uncompressed content of one layer to the root file system. Disposing closes everything. */
export interface LayerWriter extends Disposable {
  push(chunk: Uint8Array): void;
  /**
   * Call when all of the content was written and hashed; returns how many entries there were. Throws
   * ERR_OCI_DIGEST_MISMATCH when the content is not what the image configuration says.
   */
  finish(digest: string): number;
}

/** Starts to write a layer. Its methods throw what tar parsing and layer application throw. */
export function createLayerWriter(task: LayerTask, onWarning: (warning: ApplyWarning) => void): LayerWriter {
  using opened = new DisposableStack();
  const operations =
    task.overlay === undefined ? linuxOperations() : opened.use(overlayOperations(task.overlay));
  const applier = opened.use(createLayerApplier(task.rootfs, { ...task, operations, onWarning }));
  const parser = createTarParser(applier);
  const resources = opened.move();
  return {
    push: (chunk) => parser.push(chunk),
    finish(digest) {
      parser.finish();
      checkContent(task, digest);
      applier.finish();
      return applier.entries;
    },
    [Symbol.dispose]: () => resources.dispose(),
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

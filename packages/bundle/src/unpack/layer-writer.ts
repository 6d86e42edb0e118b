import { createTarParser, type TarHandler } from '@ocijs/image/tar';
import { createLayerRecorder, type LayerRecorder } from '../repack/record/layer-recorder.ts';
import { createLayerApplier } from '../rootfs/layer.ts';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { overlayOperations } from '../rootfs/overlay/overlay-operations.ts';
import type { LayerTask } from './layer-task.ts';

/** Writes the uncompressed content of one layer to the root file system. Disposing closes everything. */
export interface LayerWriter extends Disposable {
  push(chunk: Uint8Array): void;
  /** Call when all of the content was written. Throws ERR_OCI_TAR_INVALID when the archive is cut off. */
  finishArchive(): void;
  /** Gives directories their times and modes; returns how many entries there were. */
  finish(): number;
}

/** Starts to write a layer. Its methods throw what tar parsing and layer application throw. */
export function createLayerWriter(task: LayerTask, onWarning: (warning: ApplyWarning) => void): LayerWriter {
  using opened = new DisposableStack();
  const operations =
    task.overlay === undefined ? linuxOperations() : opened.use(overlayOperations(task.overlay));
  const applier = opened.use(createLayerApplier(task.rootfs, { ...task, operations, onWarning }));
  const recorder = task.record === undefined ? undefined : opened.use(createLayerRecorder(task.record));
  const parser = createTarParser(recorder === undefined ? applier : recorded(applier, recorder));
  const resources = opened.move();
  return {
    push: (chunk) => parser.push(chunk),
    finishArchive: () => parser.finish(),
    finish() {
      recorder?.finish();
      applier.finish();
      return applier.entries;
    },
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Writes the entries down on their way. */
function recorded(applier: TarHandler, recorder: LayerRecorder): TarHandler {
  return {
    entry(header) {
      recorder.entry(header);
      applier.entry(header);
    },
    data: (chunk) => applier.data(chunk),
    end: () => applier.end(),
  };
}

import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { consumeRing, type RingMemory } from './content-ring.ts';
import type { LayerTask } from './layer-task.ts';
import { createLayerWriter } from './layer-writer.ts';

/** What {@link writeContent} works with. */
export interface WriteContentOptions {
  readonly ring: RingMemory;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/**
 * Writes the content of a layer as others put it into the ring; returns how many entries there were. A return
 * does not mean that the content was right: the threads that read and hash it know.
 */
export function writeContent(task: LayerTask, { ring, checkStop, onWarning }: WriteContentOptions): number {
  const content = consumeRing(ring, { reader: 'writer', checkStop });
  try {
    using writer = createLayerWriter(task, onWarning);
    for (let chunk = content.next(); chunk !== undefined; chunk = content.next()) writer.push(chunk);
    if (!content.isComplete) return 0;
    writer.finishArchive();
    return writer.finish();
  } catch (error) {
    content.abandon();
    throw error;
  }
}

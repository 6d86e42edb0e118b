import type { MessagePort } from 'node:worker_threads';
import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { unpackError } from './error-transfer.ts';
import { createInbox } from './inbox.ts';
import type { ContentMessage, ContentReply, LayerTask } from './layer-task.ts';
import { createLayerWriter } from './layer-writer.ts';

/** What {@link applyContent} works with. */
export interface ApplyContentOptions {
  /** Where a content thread sends what it reads. */
  readonly content: MessagePort;
  /** Called between chunks; throws to stop. */
  readonly checkStop: () => void;
  readonly onWarning: (warning: ApplyWarning) => void;
}

/**
 * Applies a layer that a content thread reads, verifies and decompresses; returns how many entries there were.
 * As with `applyLayer`, only a return means that the layer was right, and damage goes before other failures.
 */
export async function applyContent(
  task: LayerTask,
  { content, checkStop, onWarning }: ApplyContentOptions,
): Promise<number> {
  const inbox = createInbox<ContentMessage>(content);
  const answer = (reply: ContentReply): void => content.postMessage(reply);
  let failure: { readonly error: unknown } | undefined;
  try {
    using writer = createLayerWriter(task, onWarning);
    for (;;) {
      const message = await inbox.next();
      checkStop();
      if (message.type === 'damaged') throw unpackError(message.error);
      if (message.type === 'end') {
        failure ??= message.failure && { error: unpackError(message.failure) };
        if (failure !== undefined) throw failure.error;
        return writer.finish(message.digest);
      }
      if (failure !== undefined) continue;
      try {
        writer.push(message.bytes);
        release(message.bytes);
        answer('more');
      } catch (error) {
        failure = { error };
        answer('enough');
      }
    }
  } finally {
    content.close();
  }
}

/** Gives the memory back at once; the garbage collector would let much of it pile up. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

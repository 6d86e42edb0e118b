import type { MessagePort } from 'node:worker_threads';
import { contentAhead } from '../limits.ts';
import { createCredit } from './credit.ts';
import { packError } from './error-transfer.ts';
import type { ContentMessage, ContentReply, LayerTask } from './layer-task.ts';
import { readContent } from './read-content.ts';
import { blobChunks, checkStop, createProgress, serveLayers } from './worker-side.ts';

serveLayers(async (task, content) => {
  if (content === undefined) throw new Error('the content worker needs somebody to send content to');
  await sendContent(task, content);
});

async function sendContent(task: LayerTask, port: MessagePort): Promise<void> {
  const credit = createCredit(contentAhead);
  port.on('message', (reply: ContentReply) => {
    if (reply === 'more') credit.give();
    else credit.close();
  });
  const send = (message: ContentMessage, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  try {
    const { digest, failure } = await readContent(task, {
      source: blobChunks(task),
      checkStop,
      onProgress: createProgress(),
      async onContent(chunk) {
        if (!(await credit.take())) return false;
        const bytes = ownBytes(chunk);
        send({ type: 'content', bytes }, [bytes.buffer]);
        return true;
      },
    });
    send({ type: 'end', digest, failure: failure && packError(failure.error) });
  } catch (error) {
    send({ type: 'damaged', error: packError(error) });
  } finally {
    port.close();
  }
}

/** The bytes in a buffer that nobody else uses: node:zlib fills a buffer in several steps, but gives full ones away. */
function ownBytes(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = chunk;
  return buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(chunk);
}

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { takeUmask } from '@ocijs/linux';
import { copyFiles, type LinkedFile, openTree } from '../rootfs/overlay/copy-files.ts';
import { joinQueue, takeDirectories } from './copy-queue.ts';
import type { CopyReply, CopyRequest } from './copy-threads.ts';
import { packError } from './error-transfer.ts';
import { createInbox } from './inbox.ts';
import type { LayerThreadData } from './layer-task.ts';

// Files can be made with their modes then.
takeUmask(0);

const port = requirePort();
const stop = new Uint8Array((workerData as LayerThreadData).stop);

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('a copy worker is not a program of its own');
  return parentPort;
}

const reply = (message: CopyReply): void => port.postMessage(message);

try {
  const { target, layers, directories, queue } = await createInbox<CopyRequest>(port).next();
  const linked: LinkedFile[] = [];
  if (joinQueue(queue)) {
    using tree = openTree(target, { layers });
    for (const _ of copyFiles(tree, takeDirectories(queue, directories), linked))
      if (Atomics.load(stop, 0) === 1) throw new Error('stopped');
  }
  reply({ type: 'copied', linked });
} catch (error) {
  reply({ type: 'failed', error: packError(error) });
}

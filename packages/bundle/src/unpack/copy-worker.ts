import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { takeUmask } from '@ocijs/linux';
import { startTreeCopy } from '../rootfs/overlay/copy-tree.ts';
import type { CopyReply, CopyRequest } from './copy-threads.ts';
import { packError } from './error-transfer.ts';
import { createInbox } from './inbox.ts';
import type { LayerThreadData } from './layer-task.ts';

// Files and directories can be made with their modes then.
takeUmask(0);

const port = requirePort();
const stop = new Uint8Array((workerData as LayerThreadData).stop);
const inbox = createInbox<CopyRequest | 'finish'>(port);

function requirePort(): MessagePort {
  if (parentPort === null) throw new Error('a copy worker is not a program of its own');
  return parentPort;
}

const reply = (message: CopyReply): void => port.postMessage(message);

try {
  const request = await inbox.next();
  if (request === 'finish') throw new Error('there is nothing to finish');
  using copy = startTreeCopy(request.target, request);
  for (const _ of copy.files()) if (Atomics.load(stop, 0) === 1) throw new Error('stopped');
  reply({ type: 'copied' });
  await inbox.next();
  copy.finish();
  reply({ type: 'finished' });
} catch (error) {
  reply({ type: 'failed', error: packError(error) });
}

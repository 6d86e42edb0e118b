import { produceRing } from './content-ring.ts';
import { packError } from './error-transfer.ts';
import { createSinkInflater, detectingInflater } from './inflater.ts';
import { readContent } from './read-content.ts';
import { blobChunks, checkStop, createProgress, serveLayers } from './worker-side.ts';

serveLayers('read', async (request, reply) => {
  const { task, ring } = request;
  if (ring === undefined) throw new Error('the content worker needs a ring');
  const sink = produceRing(ring, { checkStop });
  const inflater = detectingInflater((compression) =>
    createSinkInflater(compression, { sink, limits: task.limits }),
  );
  try {
    const failure = await readContent(task, {
      source: blobChunks(request, { keepsInput: () => inflater.keepsInput }),
      inflater,
      checkStop,
      onProgress: createProgress(reply),
    });
    sink.end(failure === undefined ? 'complete' : 'failed');
    reply({ type: 'read', failure: failure && packError(failure.error) });
  } catch (error) {
    sink.end('failed');
    throw error;
  }
});

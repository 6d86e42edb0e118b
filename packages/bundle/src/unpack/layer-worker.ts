import { applyContent } from './apply-content.ts';
import { applyLayer } from './apply-layer.ts';
import { blobChunks, checkStop, createProgress, reply, serveLayers } from './worker-side.ts';

serveLayers(async (task, content) => {
  const entries = await (content === undefined
    ? applyLayer(task, { source: blobChunks(task), checkStop, onProgress: createProgress(), onWarning })
    : applyContent(task, { content, checkStop, onWarning }));
  reply({ type: 'done', entries });
});

function onWarning(warning: Parameters<Parameters<typeof applyLayer>[1]['onWarning']>[0]): void {
  reply({ type: 'warning', warning });
}

import type { ApplyWarning } from '../rootfs/layer-context.ts';
import { blobChunks, checkStop, createProgress, reply, serveLayers } from './worker-side.ts';

// Each kind of work needs modules that the other does not, and loading them takes longer than a small layer.
serveLayers(async (task, content) => {
  if (content === undefined) {
    const { applyLayer } = await import('./apply-layer.ts');
    const options = { source: blobChunks(task), checkStop, onProgress: createProgress(), onWarning };
    reply({ type: 'done', entries: await applyLayer(task, options) });
  } else {
    const { applyContent } = await import('./apply-content.ts');
    reply({ type: 'done', entries: await applyContent(task, { content, checkStop, onWarning }) });
  }
});

function onWarning(warning: ApplyWarning): void {
  reply({ type: 'warning', warning });
}

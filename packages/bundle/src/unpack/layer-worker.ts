import { takeUmask } from '@ocijs/linux';
import { blobChunks, checkStop, createProgress, serveLayers } from './worker-side.ts';

// Each kind of work needs modules that the other does not, and loading them takes longer than a small layer.
// Files and directories can be made with their modes then.
takeUmask(0);

serveLayers('written', async (request, reply) => {
  const { task, ring } = request;
  const onWarning = (warning: { readonly code: string; readonly message: string }): void =>
    reply({ type: 'warning', warning });
  if (ring === undefined) {
    const { applyLayer } = await import('./apply-layer.ts');
    const entries = await applyLayer(task, {
      source: (inflater) => blobChunks(request, { keepsInput: () => inflater.keepsInput }),
      checkStop,
      onProgress: createProgress(reply),
      onWarning,
    });
    reply({ type: 'written', entries });
  } else {
    const { writeContent } = await import('./write-content.ts');
    reply({ type: 'written', entries: writeContent(task, { ring, checkStop, onWarning }) });
  }
});

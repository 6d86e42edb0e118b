import { stepKey } from '../cache/step-cache.ts';
import type { LayerFiles } from '../dockerfile/instructions/types.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import { lowerLayers, type StageState, withStep } from './stage-state.ts';

/** Makes a layer of files that a program has chosen. What is below plays no part: nothing is unpacked, and the key has only the files. */
export async function filesStep(
  { options, layers, cache }: BuildEnvironment,
  state: StageState,
  { files, createdBy }: { readonly files: LayerFiles; readonly createdBy: string },
): Promise<StepOutcome> {
  const { created, signal, noCache = false } = options;
  const lower = lowerLayers(state);
  const key = stepKey([], { kind: 'files', digest: await files.digest({ signal }) });
  const earlier = noCache ? undefined : await cache.find(key, lower);
  if (earlier !== undefined)
    return { state: withStep(state, { layer: earlier.layer, createdBy, created }), status: 'cached' };
  const layer = await layers.write(files.entries({ signal }));
  await cache.keep(key, { layer, lower });
  return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
}

import { stepKey } from '../cache/step-cache.ts';
import { layerEntries } from '../copy/layer-entries.ts';
import { planDirectory } from '../copy/plan-copy.ts';
import { isDirectoryFile } from '../copy/select-files.ts';
import { BuildError } from '../errors.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import { findOwner } from './find-owner.ts';
import { fileTime, lowerLayers, type StageState, withStep } from './stage-state.ts';

/** Makes the directory of `WORKDIR` where it is missing; it belongs to the user that the stage has set. */
export async function makeDirectoryStep(
  environment: BuildEnvironment,
  state: StageState,
  { path, createdBy }: { readonly path: string; readonly createdBy: string },
): Promise<StepOutcome> {
  const { created, signal, noCache = false } = environment.options;
  const timeNs = fileTime(state, created);
  const below = lowerLayers(state);
  const key = stepKey(below, {
    kind: 'workdir',
    path,
    user: state.config.config.User ?? '',
    time: String(timeNs),
  });
  const earlier = noCache ? undefined : await environment.cache.find(key, below);
  if (earlier !== undefined)
    return { state: withStep(state, { layer: earlier.layer, createdBy, created }), status: 'cached' };
  using root = await environment.openState(state);
  const { file } = root.tree.resolve(path, { followLast: true });
  if (file !== undefined && !isDirectoryFile(file))
    throw new BuildError('ERR_OCI_BUILD_COPY_CONFLICT', `the working directory ${path} is no directory`, {
      path,
    });
  const directories = planDirectory(path, root.tree);
  if (directories.length === 0) {
    await environment.cache.keep(key, { layer: undefined, lower: below });
    return { state: withStep(state, { layer: undefined, createdBy, created }), status: 'done' };
  }
  const owner = findOwner(root.tree, state.config.config.User ?? '');
  const entries = layerEntries(directories, { owner, timeNs, signal });
  const layer = await environment.layers.write(entries);
  await environment.cache.keep(key, { layer, lower: below });
  return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
}

import { layerEntries } from '../copy/layer-entries.ts';
import { planDirectory } from '../copy/plan-copy.ts';
import { isDirectoryFile } from '../copy/select-files.ts';
import { BuildError } from '../errors.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import { findOwner } from './find-owner.ts';
import { fileTime, type StageState, withStep } from './stage-state.ts';

/** Makes the directory of `WORKDIR` where it is missing; it belongs to the user that the stage has set. */
export async function makeDirectoryStep(
  environment: BuildEnvironment,
  state: StageState,
  { path, createdBy }: { readonly path: string; readonly createdBy: string },
): Promise<StepOutcome> {
  const { created, signal } = environment.options;
  using root = await environment.openState(state);
  const { file } = root.tree.resolve(path, { followLast: true });
  if (file !== undefined && !isDirectoryFile(file))
    throw new BuildError('ERR_OCI_BUILD_COPY_CONFLICT', `the working directory ${path} is no directory`, {
      path,
    });
  const directories = planDirectory(path, root.tree);
  if (directories.length === 0)
    return { state: withStep(state, { layer: undefined, createdBy, created }), status: 'done' };
  const owner = findOwner(root.tree, state.config.config.User ?? '');
  const entries = layerEntries(directories, { owner, timeNs: fileTime(state, created), signal });
  const layer = await environment.layers.write(entries);
  return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
}

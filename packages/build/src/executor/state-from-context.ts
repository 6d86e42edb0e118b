import type { Platform } from '@ocijs/image';
import type { StepLayers } from '../cache/step-layers.ts';
import { layerEntries } from '../copy/layer-entries.ts';
import { planCopy } from '../copy/plan-copy.ts';
import { type CopyRoot, selectFiles } from '../copy/select-files.ts';
import { emptyState, fileTime, type StageState, withStep } from './stage-state.ts';
import type { BuildOptions } from './types.ts';

/** The start of a stage whose base is a directory that the caller gave (`--build-context name=directory`): its files, and nothing else. */
export async function stateFromContext(
  root: CopyRoot,
  {
    layers,
    platform,
    options: { created, signal },
  }: { readonly layers: StepLayers; readonly platform: Platform; readonly options: BuildOptions },
): Promise<StageState> {
  const state = emptyState(platform);
  const selected = selectFiles(root, '.', { exclude: [], parents: false });
  const entries = layerEntries(planCopy(selected, [], { path: '/' }), {
    owner: { uid: 0, gid: 0 },
    timeNs: fileTime(state, created),
    signal,
  });
  const layer = await layers.write(entries);
  return withStep(state, { layer, createdBy: `FROM ${root.label}`, created });
}

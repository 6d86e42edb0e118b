import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareRootfs, releaseRootfs, settleUpper } from '@ocijs/bundle';
import { chainIds } from '@ocijs/image';
import type { StepLayer } from '../../cache/step-layers.ts';
import { BuildError } from '../../errors.ts';
import type { BuildEnvironment } from '../environment.ts';
import type { PreparedMounts } from '../mounts/prepare-mounts.ts';
import { openDraft } from '../open-draft.ts';
import { completeDraft, fileTime, lowerLayers, type StageState } from '../stage-state.ts';
import { runContainer } from './run-container.ts';
import { runSpec } from './run-spec.ts';
import type { RunStep } from './run-step.ts';

/** Runs a command over the layers so far, and returns the layer of what it changed. */
export async function executeRun(
  environment: BuildEnvironment,
  state: StageState,
  step: RunStep & { readonly mounts: PreparedMounts },
): Promise<StepLayer> {
  const { options, store, layers, snapshots } = environment;
  const { signal } = options;
  const { instruction, mounts } = step;
  const directory = await mkdtemp(join(environment.scratch, 'run-'));
  const image = await openDraft(completeDraft(state), { store, layers });
  const { rootfs, kind } = await prepareRootfs(image, directory, {
    snapshots: snapshots.directory,
    temporary: true,
    signal,
  });
  try {
    if (kind !== 'overlay')
      throw new BuildError('ERR_OCI_BUILD_UNSUPPORTED', 'RUN needs overlayfs, which cannot be mounted here', {
        hint: 'as an ordinary user it takes Linux 5.11 and user namespaces; `oci doctor` looks',
      });
    const network = instruction.network === 'default' ? (options.network ?? 'host') : instruction.network;
    const spec = runSpec(state, {
      instruction,
      rootfs,
      network,
      mounts: mounts.mounts(network),
      extraEnvironment: mounts.environment,
      given: options.arguments ?? new Map(),
    });
    await runContainer(environment, state, { ...step, bundle: { directory, config: spec } });
    const points = await mounts.mountPoints(spec);
    await releaseRootfs(directory);
    const upper = join(directory, 'overlay', 'upper');
    const lower = lowerLayers(state);
    const below = chainIds(lower).at(-1);
    const top = below === undefined ? undefined : await snapshots.find(below);
    const clampNs = fileTime(state, options.created);
    settleUpper(upper, { form: snapshots.form, lower: top?.rootfs, clampNs, ...points, signal });
    return await layers.adopt(upper, lower);
  } finally {
    await releaseRootfs(directory);
  }
}

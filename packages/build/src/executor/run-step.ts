import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareRootfs, type RuntimeSpec, releaseRootfs, settleUpper } from '@ocijs/bundle';
import { chainIds } from '@ocijs/image';
import { launch } from '@ocijs/runtime';
import { stepKey } from '../cache/step-cache.ts';
import type { PlannedStage } from '../dockerfile/graph/plan.ts';
import type { RunInstruction } from '../dockerfile/instructions/types.ts';
import { BuildError } from '../errors.ts';
import { FAILURE_LINES } from '../limits.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import type { StepPlace } from './execute-stage.ts';
import { prepareMounts } from './mounts/prepare-mounts.ts';
import { openDraft } from './open-draft.ts';
import { readLines } from './output-lines.ts';
import { runEnvironment, runSpec } from './run-spec.ts';
import { completeDraft, fileTime, lowerLayers, type StageState, withStep } from './stage-state.ts';

interface RunStep {
  readonly instruction: RunInstruction;
  readonly planned: PlannedStage;
  readonly place: StepPlace;
  readonly createdBy: string;
}

/** Executes `RUN`: in a container over the layers so far; what it changes becomes a layer. */
export async function runStep(
  environment: BuildEnvironment,
  state: StageState,
  step: RunStep,
): Promise<StepOutcome> {
  const { options, store, cache, layers, snapshots } = environment;
  const { signal, created, noCache = false } = options;
  const { instruction, createdBy } = step;
  refuseUnsupported(instruction);
  await using mounts = await prepareMounts(environment, state, step);
  const timeNs = fileTime(state, created);
  const lower = lowerLayers(state);
  const key = stepKey(lower, {
    kind: 'run',
    command: instruction.command,
    shell: state.config.config.Shell ?? null,
    environment: [...(state.config.config.Env ?? []), ...runEnvironment(state, new Map())],
    user: state.config.config.User ?? '',
    directory: state.config.config.WorkingDir ?? '/',
    network: instruction.network,
    security: instruction.security,
    mounts: mounts.keys,
    time: String(timeNs),
  });
  const earlier = noCache ? undefined : await cache.find(key, lower);
  if (earlier !== undefined)
    return { state: withStep(state, { layer: earlier.layer, createdBy, created }), status: 'cached' };

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
        hint: 'build as root, or in a user namespace: unshare --map-root-user --map-auto --mount oci build …',
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
    await runContainer(environment, step, { directory, spec });
    const mountPoints = await mounts.missingTargets(spec);
    await releaseRootfs(directory);
    const upper = join(directory, 'overlay', 'upper');
    const below = chainIds(lower).at(-1);
    const top = below === undefined ? undefined : await snapshots.find(below);
    const { form } = snapshots;
    settleUpper(upper, { form, lower: top?.rootfs, clampNs: timeNs, mountPoints, signal });
    const layer = await layers.adopt(upper, lower);
    await cache.keep(key, { layer });
    return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
  } finally {
    await releaseRootfs(directory);
  }
}

/** What cannot be done must not be left out silently: the step would seem to have had it. */
function refuseUnsupported({ security, devices, mounts }: RunInstruction): void {
  const unsupported =
    security === 'insecure'
      ? '--security=insecure'
      : devices.length > 0
        ? '--device'
        : mounts.some(({ type, from, source }) => type === 'cache' && (from ?? source) !== undefined)
          ? '--mount=type=cache with from or source'
          : undefined;
  if (unsupported === undefined) return;
  throw new BuildError('ERR_OCI_BUILD_UNSUPPORTED', `RUN ${unsupported} is not supported`, {
    hint: 'leave it out, or build this stage with another tool and name it with --build-context',
  });
}

async function runContainer(
  { options, scratch }: BuildEnvironment,
  { place, createdBy }: RunStep,
  bundle: { readonly directory: string; readonly spec: RuntimeSpec },
): Promise<void> {
  const { signal, onEvent } = options;
  const last: string[] = [];
  const tell = (stream: 'stdout' | 'stderr') => (line: string) => {
    last.push(line);
    if (last.length > FAILURE_LINES) last.shift();
    onEvent?.({ type: 'step-output', ...place, stream, line });
  };
  await using container = await launch(
    { directory: bundle.directory, config: bundle.spec },
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      root: join(scratch, 'runtime'),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const { stdout, stderr } = container;
  const output = Promise.all([
    stdout === undefined ? undefined : readLines(stdout, tell('stdout')),
    stderr === undefined ? undefined : readLines(stderr, tell('stderr')),
  ]);
  const { exitCode, signal: killedBy } = await container.wait(signal === undefined ? {} : { signal });
  await output;
  if (exitCode === 0 && killedBy === undefined) return;
  const how = killedBy === undefined ? `with exit code ${exitCode}` : `by ${killedBy}`;
  throw new BuildError(
    'ERR_OCI_BUILD_STEP_FAILED',
    [`stage ${place.stage}, step ${place.step} ended ${how}: ${createdBy}`, ...last].join('\n  '),
    {
      status: exitCode,
      hint: 'the last lines of its output are above',
    },
  );
}

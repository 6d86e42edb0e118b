import { stepKey } from '../../cache/step-cache.ts';
import type { PlannedStage } from '../../dockerfile/graph/plan.ts';
import type { RunInstruction } from '../../dockerfile/instructions/types.ts';
import type { BuildEnvironment, StepOutcome } from '../environment.ts';
import type { StepPlace } from '../execute-stage.ts';
import { prepareMounts } from '../mounts/prepare-mounts.ts';
import { fileTime, lowerLayers, type StageState, withStep } from '../stage-state.ts';
import { checkAllowed } from './check-allowed.ts';
import { runEnvironment } from './run-environment.ts';

/** An instruction `RUN` and where it stands. */
export interface RunStep {
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
  const { options, cache } = environment;
  const { created, noCache = false } = options;
  const { instruction, createdBy } = step;
  checkAllowed(instruction, options);
  for (const { name } of instruction.devices)
    options.onEvent?.({
      type: 'warning',
      code: 'DEVICE_LEFT_OUT',
      message: `RUN has no device ${name}, which it does not require`,
    });
  await using mounts = await prepareMounts(environment, state, step);
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
    time: String(fileTime(state, created)),
  });
  const earlier = noCache ? undefined : await cache.find(key, lower);
  if (earlier !== undefined)
    return { state: withStep(state, { layer: earlier.layer, createdBy, created }), status: 'cached' };
  // The runtime is a large part of the program, and most steps have run before.
  const { executeRun } = await import('./execute-run.ts');
  const layer = await executeRun(environment, state, { ...step, mounts });
  await cache.keep(key, { layer, lower });
  return { state: withStep(state, { layer, createdBy, created }), status: 'done' };
}

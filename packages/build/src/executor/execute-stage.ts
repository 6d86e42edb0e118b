import { applyInstruction, workingDirectory } from '../config/apply-instruction.ts';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { expandInstruction } from '../dockerfile/evaluate/expand-instruction.ts';
import { declareArgument, type StageScope, setEnvironment } from '../dockerfile/evaluate/scope.ts';
import type { PlannedStage } from '../dockerfile/graph/plan.ts';
import type { StageInstruction } from '../dockerfile/instructions/types.ts';
import type { DockerfileSyntax } from '../dockerfile/syntax/parse.ts';
import { BuildError } from '../errors.ts';
import { copyStep } from './copy-step.ts';
import { describeStep } from './describe-step.ts';
import type { BuildEnvironment, StepOutcome } from './environment.ts';
import { filesStep } from './files-step.ts';
import { makeDirectoryStep } from './make-directory-step.ts';
import { runStep } from './run/run-step.ts';
import { type StageState, withStep } from './stage-state.ts';

/** An instruction, and the file whose lines it has: triggers of a base have their own. */
interface Task {
  readonly instruction: StageInstruction;
  readonly syntax: DockerfileSyntax;
}

/** Executes the instructions of a stage, those that its base keeps for it first. */
export async function executeStage(
  environment: BuildEnvironment,
  planned: PlannedStage,
  base: { readonly state: StageState; readonly triggers: readonly string[] },
): Promise<StageState> {
  const { onEvent, signal } = environment.options;
  const name = stageName(planned);
  const tasks: readonly Task[] = [
    ...base.triggers.flatMap(parseTrigger),
    ...planned.stage.instructions.map((instruction) => ({ instruction, syntax: environment.syntax })),
  ];
  onEvent?.({ type: 'stage-start', stage: name, steps: tasks.length });
  let { state } = base;
  for (const [index, { instruction, syntax }] of tasks.entries()) {
    signal?.throwIfAborted();
    const expanded = expandInstruction(instruction, {
      scope: state.scope,
      escape: syntax.directives.escape,
      line: syntax.line,
    });
    const text = describeStep(expanded);
    const place = { stage: name, step: index + 1 };
    onEvent?.({ type: 'step-start', ...place, steps: tasks.length, text });
    const started = performance.now();
    const outcome = await executeStep(environment, state, { instruction: expanded, planned, place });
    state = outcome.state;
    onEvent?.({
      type: 'step-done',
      ...place,
      status: outcome.status,
      milliseconds: performance.now() - started,
    });
  }
  return state;
}

/** What a stage is called: its name, or its number from 0. */
export function stageName({ stage }: PlannedStage): string {
  return stage.from.stageName ?? String(stage.index);
}

export interface StepPlace {
  readonly stage: string;
  readonly step: number;
}

interface Step {
  readonly instruction: StageInstruction;
  readonly planned: PlannedStage;
  readonly place: StepPlace;
}

async function executeStep(
  environment: BuildEnvironment,
  state: StageState,
  { instruction, planned, place }: Step,
): Promise<StepOutcome> {
  const { created } = environment.options;
  const createdBy = describeStep(instruction);
  const stage = planned.stage.index;
  switch (instruction.kind) {
    case 'arg':
      return {
        state: { ...state, scope: withArguments(environment, state.scope, instruction.declarations) },
        status: 'done',
      };
    case 'run':
      return runStep(environment, state, { instruction, planned, place, createdBy });
    case 'copy':
    case 'add':
      return copyStep(environment, state, { instruction, stage, createdBy });
    case 'files':
      return filesStep(environment, state, { files: instruction.files, createdBy });
    case 'workdir': {
      const path = workingDirectory(state.config.config, instruction.text);
      const made = await makeDirectoryStep(environment, state, { path, createdBy });
      const config = applyInstruction(made.state.config, instruction);
      return { ...made, state: { ...made.state, config } };
    }
    case 'maintainer': {
      const { draft } = withStep(state, { layer: undefined, createdBy, created });
      return {
        state: { ...state, draft: { ...draft, config: { ...draft.config, author: instruction.text } } },
        status: 'done',
      };
    }
    default: {
      const config = applyInstruction(state.config, instruction);
      const pairs = instruction.kind === 'env' ? instruction.pairs : [];
      const scope = setEnvironment(
        state.scope,
        pairs.map(({ name, value }) => [name, value] as const),
      );
      return {
        state: { ...withStep(state, { layer: undefined, createdBy, created }), config, scope },
        status: 'done',
      };
    }
  }
}

function withArguments(
  { options, plan }: BuildEnvironment,
  scope: StageScope,
  declarations: readonly { readonly name: string; readonly value?: string }[],
): StageScope {
  const given = options.arguments ?? new Map<string, string>();
  return declarations.reduce(
    (now, declaration) => declareArgument(now, declaration, { given, global: plan.global }),
    scope,
  );
}

/** An instruction that the base has kept with `ONBUILD`. */
function parseTrigger(text: string): readonly Task[] {
  try {
    const { stages, syntax } = parseDockerfile(`FROM scratch\n${text}\n`);
    if (stages.length > 1) throw new RangeError('a trigger starts no stage');
    return stages[0].instructions.map((instruction) => ({ instruction, syntax }));
  } catch (cause) {
    throw new BuildError(
      'ERR_OCI_DOCKERFILE_INVALID',
      `the base image has a trigger that cannot be read: ${text}`,
      { cause },
    );
  }
}

import type { Dockerfile, Stage } from '../dockerfile/dockerfile.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';
import type { IgnoreRules } from '../ignore/ignore.ts';

/** The checks there are; the names are BuildKit's, so that `# check=skip=…` means the same to both. */
export type CheckName =
  | 'ConsistentInstructionCasing'
  | 'CopyIgnoredFile'
  | 'DuplicateStageName'
  | 'ExposeInvalidFormat'
  | 'ExposeProtoCasing'
  | 'FromAsCasing'
  | 'FromPlatformFlagConstDisallowed'
  | 'InvalidDefaultArgInFrom'
  | 'InvalidDefinitionDescription'
  | 'JSONArgsRecommended'
  | 'LegacyKeyValueFormat'
  | 'MaintainerDeprecated'
  | 'MultipleInstructionsDisallowed'
  | 'NoEmptyContinuation'
  | 'RedundantTargetPlatform'
  | 'ReservedStageName'
  | 'SecretsUsedInArgOrEnv'
  | 'StageNameCasing'
  | 'UndefinedArgInFrom'
  | 'UndefinedVar'
  | 'WorkdirRelativePath';

/** What a check found. */
export interface Finding {
  readonly check: CheckName;
  readonly message: string;
  /** From 1. */
  readonly line: number;
}

/** What checks look at. */
export interface CheckContext {
  readonly dockerfile: Dockerfile;
  /** The ignore rules of the context, if it is known. */
  readonly ignore?: IgnoreRules | undefined;
  /** `--build-arg`. */
  readonly given: ReadonlyMap<string, string>;
}

/** Tells what it found. */
export type Check = (
  context: CheckContext,
  report: (instruction: Pick<Instruction, 'node'>, message: string) => void,
) => void;

/** The instructions of a stage, `FROM` first. */
export function instructionsOf(stage: Stage): readonly Instruction[] {
  return [stage.from, ...stage.instructions];
}

/** All instructions of a file, in their order. */
export function allInstructions({ globalArguments, stages }: Dockerfile): readonly Instruction[] {
  return [...globalArguments, ...stages.flatMap(instructionsOf)];
}

import type { Mount } from '@ocijs/bundle';
import type { PlannedStage } from '../../dockerfile/graph/plan.ts';
import type { MountFlag } from '../../dockerfile/instructions/types.ts';
import type { BuildEnvironment } from '../environment.ts';
import type { StageState } from '../stage-state.ts';

/** What a `--mount` flag is prepared with. */
export interface MountContext {
  readonly environment: BuildEnvironment;
  readonly state: StageState;
  readonly planned: PlannedStage;
  /** Absolute, in the container. */
  readonly target: string;
  /** A path of the scratch directory that is this flag's alone. */
  readonly place: string;
  /** Closed after the step, the last one first. */
  readonly resources: AsyncDisposableStack;
}

/** What a `--mount` flag becomes. */
export interface PreparedMount {
  readonly mounts: readonly Mount[];
  readonly environment: readonly string[];
  /** What of it the result of the step depends on, beside the flag itself. */
  readonly key?: string;
}

/** Prepares one kind of mount. */
export type PrepareMount = (flag: MountFlag, context: MountContext) => Promise<PreparedMount>;

export const bindOptions: readonly string[] = ['rbind', 'nosuid', 'nodev'];

import type { Dockerfile, Stage } from '../dockerfile/dockerfile.ts';
import type { StageInstruction } from '../dockerfile/instructions/types.ts';
import { build } from '../executor/build.ts';
import type { BuildOptions, BuildResult } from '../executor/types.ts';
import {
  type ConfigOptions,
  type CopyFileOptions,
  configInstructions,
  copyInstruction,
  nodeOf,
  quote,
  type RunOptions,
  runInstruction,
} from './instructions.ts';

/** One step of a recipe; `from` is another recipe that it takes files from. */
interface Step {
  readonly from?: ImageBuilder;
  instruction(stageName: string | undefined): StageInstruction;
}

export interface CopyOptions extends CopyFileOptions {
  /** Another builder, or the name of an image or context; by itself the build context. */
  readonly from?: ImageBuilder | string | undefined;
}

/**
 * An image that is put together by a program, without a Dockerfile. Every method returns a new builder, so that several images
 * can share a beginning. Nothing happens before `build`; then the steps go the way of a Dockerfile's, with its cache.
 */
export interface ImageBuilder {
  /** Runs a command: a text for the shell, or a program with its arguments. */
  run(command: string | readonly string[], options?: RunOptions): ImageBuilder;
  /** Copies files; patterns are allowed. */
  copy(sources: string | readonly string[], destination: string, options?: CopyOptions): ImageBuilder;
  /** Sets what containers start with. */
  config(options: ConfigOptions): ImageBuilder;
  /**
   * Builds the image.
   *
   * @throws What {@link build} throws.
   */
  build(options: Omit<BuildOptions, 'dockerfile' | 'target'>): Promise<BuildResult>;
}

interface Recipe {
  readonly base: string | ImageBuilder;
  readonly steps: readonly Step[];
}

const recipes = new WeakMap<ImageBuilder, Recipe>();

/** Starts with an image, with `scratch`, or where another builder ends. */
export function from(base: string | ImageBuilder): ImageBuilder {
  return builderOf({ base, steps: [] });
}

function builderOf(recipe: Recipe): ImageBuilder {
  const then = (...steps: readonly Step[]): ImageBuilder =>
    builderOf({ ...recipe, steps: [...recipe.steps, ...steps] });
  const builder: ImageBuilder = {
    run: (command, options = {}) => then({ instruction: () => runInstruction(command, options) }),
    copy: (sources, destination, { from: source, ...options } = {}) =>
      then({
        ...(typeof source === 'object' ? { from: source } : {}),
        instruction: (stageName) =>
          copyInstruction(typeof sources === 'string' ? [sources] : sources, destination, {
            ...options,
            from: typeof source === 'string' ? source : stageName,
          }),
      }),
    config: (options) =>
      then(...configInstructions(options).map((instruction) => ({ instruction: () => instruction }))),
    build: (options) => build({ ...options, dockerfile: dockerfileOf(builder) }),
  };
  recipes.set(builder, recipe);
  return builder;
}

/** The stages that a builder stands for, each after those that it needs. */
function dockerfileOf(target: ImageBuilder): Dockerfile {
  const stages: Stage[] = [];
  const names = new Map<ImageBuilder, string>();
  const visit = (builder: ImageBuilder): string => {
    const known = names.get(builder);
    if (known !== undefined) return known;
    const { base, steps } = recipes.get(builder) ?? { base: 'scratch', steps: [] };
    const below = typeof base === 'string' ? quote(base) : visit(base);
    const instructions = steps.map((step) =>
      step.instruction(step.from === undefined ? undefined : visit(step.from)),
    );
    const index = stages.length;
    const stageName = `stage-${index}`;
    stages.push({
      index,
      from: { kind: 'from', node: nodeOf('FROM'), base: below, stageName },
      instructions,
    });
    names.set(builder, stageName);
    return stageName;
  };
  visit(target);
  const [first, ...rest] = stages;
  if (first === undefined) throw new TypeError('a builder is a stage');
  return {
    syntax: {
      directives: { escape: '\\', lines: new Map() },
      instructions: [],
      line: () => undefined,
    },
    globalArguments: [],
    stages: [first, ...rest],
  };
}

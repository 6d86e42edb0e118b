import { formatReference, type Platform, parsePlatform, parseReference } from '@ocijs/image';
import { suggest } from '@ocijs/image/suggest';
import type { Dockerfile, Stage } from '../dockerfile.ts';
import { expandAt } from '../evaluate/expand-at.ts';
import { platformArguments } from '../evaluate/platform-arguments.ts';
import { globalScope, type Scope } from '../evaluate/scope.ts';
import { type InstructionContext, refuse } from '../instructions/context.ts';
import type { StageInstruction } from '../instructions/types.ts';

/** What a stage starts from, or takes files from. */
export type StageSource =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly name: string }
  /** A context that the caller named (`--build-context name=…`), which hides stages and images of that name. */
  | { readonly kind: 'context'; readonly name: string };

export interface PlannedStage {
  readonly stage: Stage;
  readonly base: StageSource;
  /** What the stage is built for. */
  readonly platform: Platform;
  /** The sources that `COPY --from` and `RUN --mount=from=` name, by the text that names them. */
  readonly sources: ReadonlyMap<string, StageSource>;
}

/** The stages that the target needs, each after those it needs itself. */
export interface BuildPlan {
  readonly stages: readonly PlannedStage[];
  readonly target: PlannedStage;
  readonly global: Scope;
}

export interface PlanOptions {
  /** The stage to build: a name or a number; the last one by itself. */
  readonly target?: string | undefined;
  /** `--build-arg`. */
  readonly given: ReadonlyMap<string, string>;
  /** What the image is for. */
  readonly targetPlatform: Platform;
  /** Where the build runs. */
  readonly buildPlatform: Platform;
  /** The names of additional contexts; those that stand for an image with its name. */
  readonly contexts?: ReadonlyMap<string, { readonly image?: string | undefined }> | undefined;
}

/**
 * Finds out what a build consists of: replaces variables in the `FROM` lines, chooses the target and leaves out what it does not need.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` for a target, stage or platform that does not exist, an empty base, or a stage that needs itself.
 */
export function planBuild(dockerfile: Dockerfile, options: PlanOptions): BuildPlan {
  const global = globalScope(dockerfile.globalArguments, {
    given: options.given,
    platform: platformArguments({
      target: options.targetPlatform,
      build: options.buildPlatform,
      stage: options.target,
    }),
    expand: (text, scope) =>
      expandIn(text, scope, { dockerfile, instruction: dockerfile.globalArguments[0] }),
  });
  const find = contextFinder(options.contexts ?? new Map());
  const planned = dockerfile.stages.map((stage) =>
    planStage(dockerfile, stage, { ...options, global, find }),
  );
  const target = chooseTarget(dockerfile, planned, options.target);
  const needed = new Set<PlannedStage>();
  const visit = (stage: PlannedStage): void => {
    if (needed.has(stage)) return;
    for (const source of [stage.base, ...stage.sources.values()]) {
      const other = source.kind === 'stage' ? planned[source.index] : undefined;
      if (other !== undefined) visit(other);
    }
    needed.add(stage);
  };
  visit(target);
  return { stages: [...needed], target, global };
}

/** Finds the context that a name means. */
type ContextFinder = (name: string) => StageSource | undefined;

/** `alpine`, `alpine:latest` and `docker.io/library/alpine` are one name. */
function contextFinder(contexts: NonNullable<PlanOptions['contexts']>): ContextFinder {
  const byName = new Map([...contexts].map(([name, context]) => [normalName(name), { name, ...context }]));
  return (text) => {
    const found = byName.get(normalName(text));
    if (found === undefined) return undefined;
    const { name, image } = found;
    return image === undefined ? { kind: 'context', name } : { kind: 'image', name: image };
  };
}

function normalName(name: string): string {
  try {
    return formatReference(parseReference(name.toLowerCase()));
  } catch {
    // Names of contexts need not be names of images.
    return name.toLowerCase();
  }
}

function planStage(
  dockerfile: Dockerfile,
  stage: Stage,
  options: PlanOptions & { readonly global: Scope; readonly find: ContextFinder },
): PlannedStage {
  const place = { dockerfile, instruction: stage.from };
  const base = expandIn(stage.from.base, options.global, place);
  if (base === '')
    refuse(contextOf(dockerfile, stage.from), `the base ${stage.from.base} is empty`, {
      token: stage.from.base,
      hint: 'give the argument a value: --build-arg, or a default before FROM',
    });
  const named = stage.from.platform;
  return {
    stage,
    base: options.find(base) ?? (base === 'scratch' ? { kind: 'scratch' } : find(base)),
    platform: named === undefined ? options.targetPlatform : platformOf(named, options.global, place),
    sources: new Map(
      stage.instructions.flatMap((instruction) =>
        sourceNames(instruction).map((name) => [name, source(name, instruction)] as const),
      ),
    ),
  };

  function find(name: string): StageSource {
    const context = options.find(name);
    if (context !== undefined) return context;
    const earlier = dockerfile.stages.findLast(
      ({ index, from }) => index < stage.index && from.stageName === name.toLowerCase(),
    );
    return earlier === undefined ? { kind: 'image', name } : { kind: 'stage', index: earlier.index };
  }

  function source(name: string, instruction: StageInstruction): StageSource {
    if (!/^\d+$/.test(name) || options.find(name) !== undefined) {
      const own = stage.from.stageName !== undefined && stage.from.stageName === name.toLowerCase();
      const found = find(name);
      if (own && found.kind === 'image')
        refuse(contextOf(dockerfile, instruction), `the stage ${name} cannot take files from itself`, {
          token: name,
        });
      return found;
    }
    if (Number(name) >= stage.index)
      refuse(contextOf(dockerfile, instruction), `there is no stage ${name} before this one`, {
        token: name,
      });
    return { kind: 'stage', index: Number(name) };
  }
}

function sourceNames(instruction: StageInstruction): readonly string[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ from }) => (from === undefined ? [] : [from]));
}

function chooseTarget(
  dockerfile: Dockerfile,
  planned: readonly PlannedStage[],
  name: string | undefined,
): PlannedStage {
  const names = dockerfile.stages.flatMap(({ from }) => from.stageName ?? []);
  const found =
    name === undefined
      ? planned.at(-1)
      : (planned.findLast(({ stage }) => stage.from.stageName === name.toLowerCase()) ??
        (/^\d+$/.test(name) ? planned[Number(name)] : undefined));
  if (found !== undefined) return found;
  const near = suggest(name ?? '', names);
  return refuse(contextOf(dockerfile, dockerfile.stages[0].from), `there is no stage ${name}`, {
    hint: near === undefined ? `the stages are ${names.join(', ') || 'not named'}` : `did you mean ${near}?`,
  });
}

function platformOf(text: string, scope: Scope, place: Place): Platform {
  const name = expandIn(text, scope, place);
  try {
    return parsePlatform(name);
  } catch (error) {
    return refuse(
      contextOf(place.dockerfile, place.instruction),
      error instanceof Error ? error.message : String(error),
      { token: text },
    );
  }
}

function contextOf(
  { syntax }: Dockerfile,
  instruction: { readonly node: InstructionContext['node'] } | undefined,
): InstructionContext {
  const node = instruction?.node ?? syntax.instructions[0];
  if (node === undefined) throw new TypeError('a parsed file has instructions');
  return { node, line: syntax.line };
}

function expandIn(text: string, scope: Scope, { dockerfile, instruction }: Place): string {
  const escapeCharacter = dockerfile.syntax.directives.escape;
  const { variables } = scope;
  return expandAt(contextOf(dockerfile, instruction), text, { variables, escape: escapeCharacter }).text;
}

interface Place {
  readonly dockerfile: Dockerfile;
  readonly instruction: { readonly node: InstructionContext['node'] } | undefined;
}

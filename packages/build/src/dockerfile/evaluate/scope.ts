import type { ArgInstruction } from '../instructions/types.ts';

/** What a variable may be replaced by at one place of a Dockerfile. */
export interface Scope {
  readonly variables: ReadonlyMap<string, string>;
}

/** Replaces the variables of one text. */
export type Expand = (text: string) => string;

/** The arguments that stand before the first `FROM`, with the values given on the command line. */
export function globalScope(
  declarations: readonly ArgInstruction[],
  options: {
    readonly given: ReadonlyMap<string, string>;
    readonly platform: ReadonlyMap<string, string>;
    readonly expand: (text: string, scope: Scope) => string;
  },
): Scope {
  const variables = new Map(options.platform);
  for (const { declarations: names } of declarations)
    for (const { name, value } of names) {
      const chosen =
        options.given.get(name) ?? (value === undefined ? undefined : options.expand(value, { variables }));
      if (chosen !== undefined) variables.set(name, chosen);
    }
  return { variables };
}

/** The arguments and the environment of one stage, which grow from instruction to instruction. */
export interface StageScope extends Scope {
  /** The arguments that are declared so far and have a value. */
  readonly stageArguments: ReadonlyMap<string, string>;
  /** The environment of the image so far. */
  readonly environment: ReadonlyMap<string, string>;
  /** Every name that `ARG` declared so far, with or without a value. */
  readonly declared: ReadonlySet<string>;
}

/** Where a stage starts: with the environment of its base. */
export function startScope(environment: ReadonlyMap<string, string>): StageScope {
  return scopeOf({ stageArguments: new Map(), environment, declared: new Set() });
}

/** The scope after `ARG name` or `ARG name=value`: what was given wins, then the default, then the global argument. */
export function declareArgument(
  scope: StageScope,
  declaration: { readonly name: string; readonly value?: string },
  options: { readonly given: ReadonlyMap<string, string>; readonly global: Scope },
): StageScope {
  const { name, value } = declaration;
  const chosen = options.given.get(name) ?? value ?? options.global.variables.get(name);
  const stageArguments = new Map(scope.stageArguments);
  if (chosen !== undefined) stageArguments.set(name, chosen);
  return scopeOf({ ...scope, stageArguments, declared: new Set([...scope.declared, name]) });
}

/** The scope after `ENV`; the environment hides arguments of the same name. */
export function setEnvironment(scope: StageScope, pairs: Iterable<readonly [string, string]>): StageScope {
  return scopeOf({ ...scope, environment: new Map([...scope.environment, ...pairs]) });
}

function scopeOf(parts: Omit<StageScope, 'variables'>): StageScope {
  return { ...parts, variables: new Map([...parts.stageArguments, ...parts.environment]) };
}

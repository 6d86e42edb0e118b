import { parseReference } from '@ocijs/image';
import { suggest } from '@ocijs/image/suggest';
import { expandInstruction } from '../dockerfile/evaluate/expand-instruction.ts';
import { PROXY_ARGUMENTS, platformArguments } from '../dockerfile/evaluate/platform-arguments.ts';
import { declareArgument, setEnvironment, startScope } from '../dockerfile/evaluate/scope.ts';
import { expandWord } from '../dockerfile/words/expand.ts';
import type { Check, CheckContext } from './types.ts';

const anyPlatform = { os: 'linux', architecture: 'amd64' };
const predefined: ReadonlySet<string> = new Set([
  ...platformArguments({ target: anyPlatform, build: anyPlatform }).keys(),
  ...PROXY_ARGUMENTS,
]);

/** Every base image may have it. */
const usualEnvironment = ['PATH'];

function declaredGlobally({ dockerfile }: CheckContext): ReadonlySet<string> {
  return new Set(
    dockerfile.globalArguments.flatMap(({ declarations }) => declarations.map(({ name }) => name)),
  );
}

export const undefinedArgInFrom: Check = (context, report) => {
  const declared = declaredGlobally(context);
  for (const { from } of context.dockerfile.stages)
    for (const word of [from.base, from.platform ?? ''])
      for (const name of variablesOf(word)) {
        if (declared.has(name) || predefined.has(name)) continue;
        const near = suggest(name, [...declared, ...predefined]);
        const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
        report(from, `FROM argument '${name}' is not declared${hint}`);
      }
};

/** With their defaults alone, the arguments must make a name of an image. */
export const invalidDefaultArgInFrom: Check = ({ dockerfile }, report) => {
  const variables = new Map(platformArguments({ target: anyPlatform, build: anyPlatform }));
  for (const { declarations } of dockerfile.globalArguments)
    for (const { name, value } of declarations)
      if (value !== undefined) variables.set(name, expanded(value, variables) ?? '');
  for (const { from } of dockerfile.stages) {
    const base = expanded(from.base, variables);
    if (base === undefined || !from.base.includes('$')) continue;
    if (!isName(base))
      report(from, `Default value for ARG ${from.base} results in empty or invalid base image name`);
  }
};

function isName(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    // Whatever is wrong with it, it names no image.
    return false;
  }
}

function expanded(word: string, variables: ReadonlyMap<string, string>): string | undefined {
  try {
    return expandWord(word, { variables }).text;
  } catch {
    // The build says what is wrong with the word.
    return undefined;
  }
}

function variablesOf(word: string): readonly string[] {
  try {
    return [...expandWord(word, { variables: new Map() }).unset];
  } catch {
    // The build says what is wrong with the word.
    return [];
  }
}

/** Variables that nothing in the stage sets; what the base sets is not known here, so stages on images are looked at with care. */
export const undefinedVar: Check = ({ dockerfile, given }, report) => {
  for (const stage of dockerfile.stages) {
    let scope = startScope(new Map(usualEnvironment.map((name) => [name, ''])));
    const options = { given, global: { variables: new Map<string, string>() } };
    for (const instruction of stage.instructions) {
      const unset = new Set<string>();
      const { escape: escapeCharacter } = dockerfile.syntax.directives;
      const evaluated = expandInstruction(instruction, {
        scope,
        escape: escapeCharacter,
        line: dockerfile.syntax.line,
        onUnset: (name) => unset.add(name),
      });
      for (const name of unset) {
        if (scope.declared.has(name)) continue;
        const near = suggest(name, [...scope.declared, ...scope.environment.keys()]);
        const hint = near === undefined ? '' : ` (did you mean $${near}?)`;
        report(instruction, `Usage of undefined variable '$${name}'${hint}`);
      }
      if (evaluated.kind === 'arg')
        for (const declaration of evaluated.declarations)
          scope = declareArgument(scope, declaration, options);
      if (evaluated.kind === 'env')
        scope = setEnvironment(
          scope,
          evaluated.pairs.map(({ name, value }) => [name, value] as const),
        );
    }
  }
};

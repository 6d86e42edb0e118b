import type { InstructionContext } from '../instructions/context.ts';
import type { MountFlag, StageInstruction } from '../instructions/types.ts';
import type { EscapeCharacter, Expansion } from '../words/expand.ts';
import { expandAt } from './expand-at.ts';
import type { Scope } from './scope.ts';

export interface ExpandInstructionOptions {
  readonly scope: Scope;
  readonly escape: EscapeCharacter;
  readonly line: InstructionContext['line'];
  /** Told of each variable that is not set, where nothing stands in for it. */
  readonly onUnset?: (name: string) => void;
}

/**
 * Replaces the variables of an instruction wherever the reference allows them: not in the commands of `RUN`, `CMD` and
 * `ENTRYPOINT`, which their shell expands, nor in names of stages.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` for a word that cannot be read, or a `${name:?}` without a value.
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandInstruction<Given extends StageInstruction>(
  instruction: Given,
  options: ExpandInstructionOptions,
): Given {
  const text = (word: string): string => expandOne(word, instruction, options).text;
  const raw = (word: string): string => expandOne(word, instruction, { ...options, plainQuotes: true }).text;
  const words = (word: string): readonly string[] => expandOne(word, instruction, options).words;
  return { ...instruction, ...expanded(instruction, { text, raw, words }) };
}

interface Expanders {
  readonly text: (word: string) => string;
  /** For a text in which quotes are characters like any other. */
  readonly raw: (word: string) => string;
  /** The words that a text becomes, as `EXPOSE $PORTS` may become several. */
  readonly words: (word: string) => readonly string[];
}

function expanded(instruction: StageInstruction, { text, raw, words }: Expanders): Partial<StageInstruction> {
  switch (instruction.kind) {
    case 'arg':
      return {
        declarations: instruction.declarations.map(({ name, value }) =>
          value === undefined ? { name: text(name) } : { name: text(name), value: text(value) },
        ),
      };
    case 'env':
    case 'label':
      return {
        pairs: instruction.pairs.map(({ name, value }) => ({ name: text(name), value: text(value) })),
      };
    case 'copy':
    case 'add':
      return {
        sources: instruction.sources.map(instruction.node.json ? raw : text),
        destination: (instruction.node.json ? raw : text)(instruction.destination),
        exclude: instruction.exclude.map(text),
        files: instruction.files.map((file) =>
          file.expand ? { ...file, content: raw(file.content) } : file,
        ),
        ...(instruction.from === undefined ? {} : { from: text(instruction.from) }),
        ...(instruction.owner === undefined ? {} : { owner: text(instruction.owner) }),
        ...(instruction.mode === undefined ? {} : { mode: text(instruction.mode) }),
        ...(instruction.checksum === undefined ? {} : { checksum: text(instruction.checksum) }),
      };
    case 'run':
      return { mounts: instruction.mounts.map((mount) => expandMount(mount, text)) };
    case 'expose':
      return { values: instruction.values.flatMap(words) };
    case 'volume':
      return { values: instruction.values.map(text) };
    case 'user':
    case 'workdir':
    case 'stopsignal':
      return { text: text(instruction.text) };
    default:
      return {};
  }
}

function expandMount(mount: MountFlag, text: (word: string) => string): MountFlag {
  const keys = ['target', 'source', 'from', 'id'] as const;
  const replaced = keys.flatMap((key) => (mount[key] === undefined ? [] : [[key, text(mount[key])]]));
  return { ...mount, ...(Object.fromEntries(replaced) as Partial<MountFlag>) };
}

function expandOne(
  word: string,
  instruction: StageInstruction,
  options: ExpandInstructionOptions & { readonly plainQuotes?: boolean },
): Expansion {
  const { scope, escape: escapeCharacter, line, onUnset, plainQuotes = false } = options;
  const context = { node: instruction.node, line };
  const { variables } = scope;
  const expansion = expandAt(context, word, { variables, escape: escapeCharacter, plainQuotes });
  for (const name of expansion.unset) onUnset?.(name);
  return expansion;
}

import type { CommandClass } from '../base-command.ts';

/** What a word can be completed with: names of the store, paths, given words, or nothing. */
export type Candidates = 'images' | 'containers' | 'files' | 'directories' | 'nothing' | readonly string[];

/** A flag as shells complete it. */
export interface CompletableFlag {
  /** `--name`, and `-c` where it has a letter. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Undefined for a flag without a value. */
  readonly value: Candidates | undefined;
}

/** A command as shells complete it. */
export interface CompletableCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletableFlag[];
  /** One for each argument; the last one stands for further ones. */
  readonly operands: readonly Candidates[];
}

const imageArguments: ReadonlySet<string> = new Set('image source reference a b base other'.split(' '));

/** The commands that are shown, by their definitions. */
export function completableCommands(
  commands: Readonly<Record<string, CommandClass>>,
): readonly CompletableCommand[] {
  return Object.entries(commands)
    .filter(([, { hidden }]) => !hidden)
    .map(([name, command]) => ({
      name,
      summary: command.summary ?? '',
      flags: flagsOf(command),
      operands: Object.entries(command.args ?? {}).map(([argument, { options }]) =>
        operandCandidates(argument, { command: name, options }),
      ),
    }));
}

function flagsOf(command: CommandClass): readonly CompletableFlag[] {
  const defined = Object.entries({ ...command.flags, ...command.baseFlags }).filter(
    ([, { hidden }]) => !hidden,
  );
  const flags = defined.map(([name, flag]) => ({
    names: [`--${name}`, ...(flag.char === undefined ? [] : [`-${flag.char}`])],
    summary: flag.summary ?? '',
    value: flag.type === 'boolean' ? undefined : valueCandidates(flag),
  }));
  return [...flags, { names: ['--help', '-h'], summary: 'Explain the command', value: undefined }];
}

function valueCandidates({
  options,
  helpValue,
}: {
  readonly options?: readonly string[];
  readonly helpValue?: string | readonly string[];
}): Candidates {
  if (options !== undefined) return options;
  const value = String(helpValue ?? '');
  if (/^(DIR|DIRECTORY)\b/.test(value)) return 'directories';
  return /FILE|PATH/.test(value) ? 'files' : 'nothing';
}

function operandCandidates(
  argument: string,
  { command, options }: { readonly command: string; readonly options?: readonly string[] | undefined },
): Candidates {
  if (options !== undefined) return options;
  if (argument === 'container') return 'containers';
  if (argument === 'directory' || argument === 'context') return 'directories';
  if (argument === 'files' || (argument === 'source' && command === 'append')) return 'files';
  return imageArguments.has(argument) ? 'images' : 'nothing';
}

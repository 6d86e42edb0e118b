/** What cutting must know of a flag; oclif's flag definitions have this shape. */
export interface CutFlag {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
}

/** A command line in two parts. */
export interface CutArguments {
  readonly flags: readonly string[];
  readonly positionals: readonly string[];
}

/**
 * Cuts a command line before its first positional: what follows belongs to the command in the container, even when it
 * looks like a flag. A `--` ends the flags too and is dropped. Unknown flags count as flags without a value; the parser
 * refuses them afterwards.
 */
export function cutAtPositional(
  argv: readonly string[],
  flags: Readonly<Record<string, CutFlag>>,
): CutArguments {
  const charsWithValue = new Set(
    Object.values(flags).flatMap(({ type, char }) => (type === 'option' && char !== undefined ? [char] : [])),
  );
  let index = 0;
  while (index < argv.length) {
    const argument = argv[index] ?? '';
    if (argument === '--') return { flags: argv.slice(0, index), positionals: argv.slice(index + 1) };
    if (!argument.startsWith('-') || argument === '-') break;
    const takesNext = argument.startsWith('--')
      ? !argument.includes('=') && flagOf(argument.slice(2), flags)?.type === 'option'
      : lastCharTakesValue(argument, charsWithValue);
    index += takesNext ? 2 : 1;
  }
  return { flags: argv.slice(0, index), positionals: argv.slice(index) };
}

function flagOf(name: string, flags: Readonly<Record<string, CutFlag>>): CutFlag | undefined {
  return flags[name] ?? Object.values(flags).find(({ aliases = [] }) => aliases.includes(name));
}

/**
 * What {@link cutAtPositional} put behind `--`, in its order: oclif's parser sorts arguments by where their text stands first, so
 * that in `run -p 80 IMAGE httpd -p 80` the second -p would come before the image.
 */
export function afterCut(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? [] : argv.slice(end + 1);
}

/** In `-itv SRC:DST` the value of `v` is the next argument; in `-v/a:/b` it is the rest of this one. */
function lastCharTakesValue(argument: string, charsWithValue: ReadonlySet<string>): boolean {
  for (let at = 1; at < argument.length; at++) {
    if (charsWithValue.has(argument[at] ?? '')) return at === argument.length - 1;
  }
  return false;
}

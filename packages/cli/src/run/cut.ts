/** What cutting must know of a flag; oclif's flag definitions have this shape. */
export interface CutFlag {
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
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
      ? !argument.includes('=') && flags[argument.slice(2)]?.type === 'option'
      : lastCharTakesValue(argument, charsWithValue);
    index += takesNext ? 2 : 1;
  }
  return { flags: argv.slice(0, index), positionals: argv.slice(index) };
}

/** In `-itv SRC:DST` the value of `v` is the next argument; in `-v/a:/b` it is the rest of this one. */
function lastCharTakesValue(argument: string, charsWithValue: ReadonlySet<string>): boolean {
  for (let at = 1; at < argument.length; at++) {
    if (charsWithValue.has(argument[at] ?? '')) return at === argument.length - 1;
  }
  return false;
}

import { removePrefix, removeSuffix, replacePattern } from './pattern.ts';

/** `${name:-word}` and its relatives, taken apart. */
export interface Modifier {
  readonly name: string;
  readonly value: string | undefined;
  /** `-`, `+`, `?`, `#` or `%`. */
  readonly modifier: string;
  readonly word: string;
  /** With a colon, an empty value counts as none. */
  readonly emptyIsUnset: boolean;
}

/** What the expression stands for. */
export function applyModifier(
  { name, value, modifier, word, emptyIsUnset }: Modifier,
  fail: (message: string) => never,
): string {
  const set = value !== undefined && !(emptyIsUnset && value === '');
  switch (modifier) {
    case '-':
      return set ? value : word;
    case '+':
      return set ? word : '';
    case '?':
      if (set) return value;
      return fail(word === '' ? `${name} must be set` : `${name}: ${word}`);
    default: {
      const longest = word.startsWith(modifier);
      const pattern = longest ? word.slice(1) : word;
      const remove = modifier === '#' ? removePrefix : removeSuffix;
      return remove(value ?? '', pattern, longest ? 'longest' : 'shortest');
    }
  }
}

/** `${name/pattern/replacement}`; the escapes of the replacement lose their meaning only here. */
export function applyReplacement(
  value: string,
  options: { readonly pattern: string; readonly replacement: string; readonly all: boolean },
): string {
  return replacePattern(value, options.pattern, {
    all: options.all,
    replacement: options.replacement.replace(/\\(.)/gsu, '$1'),
  });
}

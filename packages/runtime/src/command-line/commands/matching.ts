import { list } from '../../lifecycle/state.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/** The containers that a command is about: the one whose id is given, or with `--regex` all whose ids match it. */
export function matchingIds({ parsed, root }: CommandContext): readonly string[] {
  const [id = ''] = parsed.words;
  if (!parsed.flags.has('regex')) return [id];
  let pattern: RegExp;
  try {
    pattern = new RegExp(id);
  } catch (error) {
    throw usageError(`invalid regular expression: ${(error as Error).message}`);
  }
  return list({ root })
    .map((state) => state.id)
    .filter((name) => pattern.test(name));
}

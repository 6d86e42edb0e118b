import { loadCommands } from '../commands/index.ts';

/**
 * What each command does, in one line; hidden commands are left out. The bundle holds the answer instead of this
 * function, so that the overview loads no command.
 */
export async function commandSummaries(): Promise<Readonly<Record<string, string>>> {
  const shown = Object.entries(await loadCommands()).filter(([, { hidden }]) => !hidden);
  return Object.fromEntries(shown.map(([name, { summary }]) => [name, summary ?? '']));
}

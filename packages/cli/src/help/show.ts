import { COMMANDS } from '../commands/index.ts';
import { packageVersion } from '../package.ts';
import { write } from '../render/json.ts';
import { overview } from './overview.ts';
import { commandSummaries } from './summaries.ts';

/** What is assumed of an output that is no terminal, or one that does not say. */
const standardColumns = 80;

/** Prints the help of a command, or the overview of all. */
export async function showHelp(name?: string): Promise<void> {
  const load = name === undefined ? undefined : COMMANDS[name];
  if (name !== undefined && load !== undefined) {
    const { showCommandHelp } = await import('./command.ts');
    return showCommandHelp(name, await load());
  }
  const columns = process.stdout.columns || standardColumns;
  await write(overview(await commandSummaries(), { version: packageVersion(), columns }));
}

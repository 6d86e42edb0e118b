import { type Command, Help } from '@oclif/core';
import { oclifConfig } from '../oclif.ts';
import { usageLines } from './usage.ts';

/** Prints what a command says of itself. */
export async function showCommandHelp(id: string, command: Command.Class): Promise<void> {
  const { args, baseFlags, flags, description, examples, strict, summary } = command;
  const texts = Object.entries({ description, examples, strict, summary });
  await new Help(oclifConfig()).showCommandHelp({
    id,
    usage: [...usageLines(id, command)],
    args: named(args),
    flags: named({ ...baseFlags, ...flags }),
    aliases: [],
    hiddenAliases: [],
    hidden: false,
    load: async () => command,
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
  });
}

/** oclif's help looks for the names inside of what they name. */
function named<T extends object>(
  definitions: Readonly<Record<string, T>>,
): Record<string, T & { name: string }> {
  return Object.fromEntries(Object.entries(definitions).map(([name, value]) => [name, { ...value, name }]));
}

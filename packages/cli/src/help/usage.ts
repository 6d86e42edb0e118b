import type { Command } from '@oclif/core';

/** How a command is called: its own lines, or its name with its arguments. */
export function usageLines(
  name: string,
  command: Pick<Command.Class, 'args' | 'strict' | 'usage'>,
): readonly string[] {
  if (command.usage !== undefined) return [command.usage].flat();
  const words = Object.entries(command.args ?? {}).map(([argument, { required }]) => {
    const word = argument.toUpperCase() + (command.strict ? '' : '...');
    return required ? word : `[${word}]`;
  });
  return [[name, '[FLAGS]', ...words].join(' ')];
}

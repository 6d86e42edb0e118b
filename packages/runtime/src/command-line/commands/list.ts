import { existsSync } from 'node:fs';
import { list } from '../../lifecycle/state.ts';
import type { State } from '../../state/record.ts';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';

/** Columns as wide as their widest cell, at least twelve characters, three apart. */
function formatTable(states: readonly State[]): string {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...states.map(({ id, pid, status, bundle, created, owner }) => [
      id,
      String(pid),
      status,
      bundle,
      created,
      owner,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map(
    (column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + 3,
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(Math.max(12, widths[column] ?? 0))).join(''))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** `oci-runtime list` */
export const command: Command = {
  usage: 'list [flags]',
  flags: {
    format: { takes: 'text', short: 'f', about: 'table (default) or json' },
    quiet: { takes: 'nothing', short: 'q', about: 'print ids only' },
  },
  words: [0, 0],
  run: async ({ parsed, root, print }) => {
    const format = textFlag(parsed, 'format') ?? 'table';
    if (format !== 'table' && format !== 'json') throw usageError('invalid format option');
    if (root !== undefined && !existsSync(root)) throw usageError(`open ${root}: no such file or directory`);
    const states = list({ root });
    if (parsed.flags.has('quiet')) print(states.map(({ id }) => `${id}\n`).join(''));
    else if (format === 'json') print(`${JSON.stringify(states)}\n`);
    else print(formatTable(states));
    return 0;
  },
};

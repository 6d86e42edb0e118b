import { spawnSync } from 'node:child_process';
import { RuntimeError } from '../../errors.ts';
import { processes } from '../../lifecycle/processes.ts';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';

/** The lines of ps(1) about the container's processes, under their title. */
function filterRows(output: string, pids: readonly number[]): string {
  const [title = '', ...lines] = output.split('\n');
  const column = title.trim().split(/\s+/).indexOf('PID');
  if (column === -1) throw usageError("couldn't find PID field in ps output");
  const ours = lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])));
  return `${[title, ...ours].join('\n')}\n`;
}

function hostPs(options: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('ps', options, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  const reason = error?.message ?? `exit status ${status}: ${stderr.trim()}`;
  throw new RuntimeError('ERR_OCI_COMMAND_INVALID', `ps failed: ${reason}`, { cause: error });
}

/** `oci-runtime ps` */
export const command: Command = {
  usage: 'ps [flags] ID [options of ps]',
  flags: { format: { takes: 'text', short: 'f', about: 'table (default) or json' } },
  words: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  run: async (context) => {
    const { parsed, root, print } = context;
    const format = textFlag(parsed, 'format') ?? 'table';
    if (format !== 'table' && format !== 'json') throw usageError('invalid format option');
    const pids = processes(containerId(context), { root });
    if (format === 'json') {
      print(`${JSON.stringify(pids)}\n`);
      return 0;
    }
    const options = parsed.words.slice(1);
    print(filterRows(hostPs(options.length === 0 ? ['-ef'] : options), pids));
    return 0;
  },
};

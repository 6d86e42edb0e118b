import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { readLog } from '../containers/log.ts';
import { usageError } from '../errors.ts';
import { containerArgument } from '../flags/containers.ts';
import { write, writeJson } from '../render/json.ts';

/** Largest log that becomes one JSON document, in bytes. */
const jsonLimit = 64 * 1024 * 1024;

export default class Logs extends BaseCommand {
  static override summary = 'Print the output of a container that was started in the background';
  static override description =
    'Standard output and standard error come in the order in which they were written, without times. Containers that ran in the foreground have no log.';
  static override examples = [
    '<%= config.bin %> logs web',
    '<%= config.bin %> logs --follow --tail 20 web',
    '<%= config.bin %> logs --json --tail 100 3f2a',
  ];
  static override args = containerArgument;
  static override flags = {
    follow: Flags.boolean({ default: false, char: 'f', summary: 'Go on until the container has ended' }),
    tail: Flags.string({
      char: 'n',
      default: 'all',
      helpValue: 'N',
      summary: 'Only so many lines at the end',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logs);
    const tail = lineCount(flags.tail);
    const { directory } = await this.openStore(flags);
    const container = await openContainers(directory).find(args.container);
    const log = readLog(container, { tail, follow: flags.follow, signal: this.signal });
    if (!flags.json) {
      for await (const chunk of log) await write(chunk);
      return;
    }
    const { id, name } = container.record;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of log) {
      size += chunk.length;
      if (size > jsonLimit) {
        throw usageError(
          `the log of ${name} is larger than ${jsonLimit} bytes, too large for one JSON document`,
          'ask for less with --tail N, or leave --json out',
        );
      }
      chunks.push(chunk);
    }
    await writeJson({ id, name, log: Buffer.concat(chunks).toString() });
  }
}

function lineCount(text: string): number | undefined {
  if (text === 'all') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`--tail ${JSON.stringify(text)} is not a number of lines`, 'for example 20, or all');
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { findAll, requireRunning, whileRunning } from '../containers/running.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Kill extends BaseCommand {
  static override summary = 'Send a signal to containers';
  static override description =
    'The signal goes to the first process of each container; SIGKILL ends all its processes.';
  static override examples = ['<%= config.bin %> kill web', '<%= config.bin %> kill --signal HUP web 3f2a'];
  static override strict = false;
  static override args = containersArgument;
  static override flags = {
    signal: Flags.string({
      char: 's',
      default: 'SIGKILL',
      helpValue: 'SIGNAL',
      summary: 'Name or number of the signal',
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Kill);
    const { kill, parseSignal } = await import('@ocijs/runtime');
    const number = parseSignal(flags.signal);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    for (const container of found) await requireRunning(container);
    for (const container of found) {
      const { id, root } = container.record;
      await whileRunning(container, () => kill(id, number, { root }));
    }
    const ids = found.map(({ record }) => record.id);
    await this.print(flags, { json: ids, text: ids.join('\n') });
  }
}

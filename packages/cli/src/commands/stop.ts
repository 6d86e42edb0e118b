import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { findAll } from '../containers/running.ts';
import { stopContainer } from '../containers/stop.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Stop extends BaseCommand {
  static override summary = 'End containers, and wait until they have ended';
  static override description =
    "Sends the image's stop signal (SIGTERM when it names none), and SIGKILL when the time is over. A first process that neither handles nor ignores the stop signal would never see it: it gets SIGKILL at once.";
  static override examples = ['<%= config.bin %> stop web', '<%= config.bin %> stop --time 60 database'];
  static override strict = false;
  static override args = containersArgument;
  static override flags = {
    time: Flags.integer({
      char: 't',
      default: 10,
      min: -1,
      max: 1_000_000,
      helpValue: 'SECONDS',
      summary: 'Time until SIGKILL; -1 waits for ever',
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    const timeout = flags.time < 0 ? Number.POSITIVE_INFINITY : flags.time * 1000;
    const { signal } = this;
    await Promise.all(found.map((container) => stopContainer(container, { timeout, signal })));
    const ids = found.map(({ record }) => record.id);
    await this.print(flags, { json: ids, text: ids.join('\n') });
  }
}

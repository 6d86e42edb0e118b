import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { findAll } from '../containers/running.ts';
import { stopContainer } from '../containers/stop.ts';
import { containersArgument } from '../flags/containers.ts';

/** Seconds, as for Docker. */
const defaultTime = 10;

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
      aliases: ['timeout'],
      min: -1,
      max: 1_000_000,
      helpValue: 'SECONDS',
      summary: 'Time until SIGKILL; -1 waits for ever; that of `run --stop-timeout`, else 10 by default',
    }),
    signal: Flags.string({
      char: 's',
      helpValue: 'SIGNAL',
      summary: 'Send this signal instead of the stop signal',
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stop);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    const { signal } = this;
    const stopSignal = flags.signal;
    await Promise.all(
      found.map((container) => {
        const seconds = flags.time ?? container.record.stopTimeout ?? defaultTime;
        const timeout = seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
        return stopContainer(container, { timeout, signal, ...(stopSignal && { stopSignal }) });
      }),
    );
    const ids = found.map(({ record }) => record.id);
    await this.print(flags, { json: ids, text: ids.join('\n') });
  }
}

import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { waitForEnd } from '../containers/end.ts';
import { findAll } from '../containers/running.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Wait extends BaseCommand {
  static override summary = 'Wait until containers have ended, and print their exit codes';
  static override description =
    'One line for each container, in the order given; containers that have ended already count.';
  static override examples = [
    '<%= config.bin %> wait web',
    'test "$(<%= config.bin %> wait job)" = 0',
    '<%= config.bin %> wait --json job-1 job-2',
  ];
  static override strict = false;
  static override args = containersArgument;

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Wait);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    const ended = await Promise.all(
      found.map(async (container) => {
        const { id, name } = container.record;
        return { id, name, exitCode: await waitForEnd(container, this.signal) };
      }),
    );
    await this.print(flags, {
      json: ended,
      text: ended.map(({ exitCode }) => String(exitCode)).join('\n'),
    });
  }
}

import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { findAll, requireRunning, whileRunning } from '../containers/running.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Unpause extends BaseCommand {
  static override summary = 'Let paused containers go on';
  static override examples = [
    '<%= config.bin %> unpause web',
    '<%= config.bin %> unpause --json web database',
  ];
  static override strict = false;
  static override args = containersArgument;

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Unpause);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    const { resume } = await import('@ocijs/runtime');
    for (const container of found) {
      const { id, root } = container.record;
      const { state } = await requireRunning(container);
      // What is asked for is there already.
      if (state !== 'paused') continue;
      await whileRunning(container, () => resume(id, { root }));
    }
    const ids = found.map(({ record }) => record.id);
    await this.print(flags, { json: ids, text: ids.join('\n') });
  }
}

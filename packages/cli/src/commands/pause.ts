import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { findAll, requireRunning, whileRunning } from '../containers/running.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Pause extends BaseCommand {
  static override summary = 'Stop all processes of containers where they are';
  static override description =
    'They use no processor until `oci unpause`, and do not notice. Needs a cgroup with a freezer.';
  static override examples = ['<%= config.bin %> pause web', '<%= config.bin %> pause --json web database'];
  static override strict = false;
  static override args = containersArgument;

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Pause);
    const { directory } = await this.openStore(flags);
    const found = await findAll(openContainers(directory), argv);
    const { pause } = await import('@ocijs/runtime');
    for (const container of found) {
      const { id, root } = container.record;
      const { state } = await requireRunning(container);
      // What is asked for is there already.
      if (state === 'paused') continue;
      await whileRunning(container, () => pause(id, { root, signal: this.signal }));
    }
    const ids = found.map(({ record }) => record.id);
    await this.print(flags, { json: ids, text: ids.join('\n') });
  }
}

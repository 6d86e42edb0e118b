import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { removeContainer } from '../containers/remove.ts';
import { codeOf } from '../exit-codes.ts';
import { containersArgument } from '../flags/containers.ts';

export default class Rm extends BaseCommand {
  static override summary = 'Remove containers';
  static override examples = ['<%= config.bin %> rm web', '<%= config.bin %> rm --force 3f2a'];
  static override strict = false;
  static override args = containersArgument;
  static override flags = {
    force: Flags.boolean({ default: false, char: 'f', summary: 'Kill a running container first' }),
    volumes: Flags.boolean({
      default: false,
      char: 'v',
      summary: 'For scripts made for Docker: there are no volumes to remove',
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Rm);
    const { directory } = await this.openStore(flags);
    const containers = openContainers(directory);
    const removed: string[] = [];
    for (const typed of argv.map(String)) {
      this.signal.throwIfAborted();
      try {
        const container = await containers.find(typed);
        await removeContainer(containers, { container, force: flags.force });
        removed.push(container.record.id);
      } catch (error) {
        // What is gone already is what `--force` asks for.
        if (!(flags.force && codeOf(error) === 'ERR_OCI_CONTAINER_NOT_FOUND')) throw error;
      }
    }
    await this.print(flags, { json: removed, text: removed.join('\n') });
  }
}

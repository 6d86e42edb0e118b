import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { type KnownContainer, openContainers } from '../containers/collection.ts';
import {
  type ContainerState,
  type ContainerStatus,
  formatStatus,
  isActive,
  statusOf,
} from '../containers/status.ts';
import { formatAge, formatTable } from '../render/table.ts';
import { shortId } from '../render/text.ts';

export default class Ps extends BaseCommand {
  static override summary = 'List containers';
  static override examples = ['<%= config.bin %> ps', '<%= config.bin %> ps -a --json'];
  static override flags = {
    all: Flags.boolean({ default: false, char: 'a', summary: 'Also those that have ended' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Ps);
    const { directory } = await this.openStore(flags);
    const rows: Row[] = [];
    for (const container of await openContainers(directory).list()) {
      rows.push({ container, status: await statusOf(container.record) });
    }
    const shown = rows.filter(({ status }) => flags.all || isListed(status.state));
    const now = Date.now();
    await this.print(flags, {
      json: shown.map(describe),
      quiet: shown.map(({ container }) => shortId(container.record.id)).join('\n'),
      text: formatTable(
        ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAME'],
        shown.map(({ container: { record }, status }) => [
          shortId(record.id),
          record.image.name || record.bundle,
          shorten(record.command.join(' ')),
          formatAge(Date.parse(record.created), now),
          formatStatus(status),
          record.name,
        ]),
      ),
    });
  }
}

interface Row {
  readonly container: KnownContainer;
  readonly status: ContainerStatus;
}

/** One that is still being made has no process to show. */
function isListed(state: ContainerState): boolean {
  return isActive(state) && state !== 'creating';
}

function describe({ container: { record }, status }: Row): object {
  const { id, name, image, command, created, bundle, exit } = record;
  const { state, pid, exitCode } = status;
  return {
    id,
    name,
    image: image.name,
    digest: image.digest,
    command,
    created,
    state,
    ...(pid === undefined ? {} : { pid }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exit === undefined ? {} : { finished: exit.finished }),
    bundle,
  };
}

function shorten(text: string): string {
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}

import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { removeForgotten } from '../containers/forgotten.ts';
import { describeContainer, type ListedContainer, listContainers } from '../containers/listing.ts';
import { matchesAll, parseFilter } from '../containers/matching.ts';
import { formatStatus, isActive } from '../containers/status.ts';
import { releaseLeftNetworks } from '../network/leftovers.ts';
import { formatPorts } from '../network/publish.ts';
import { formatAge, formatTable } from '../render/table.ts';
import { shortId } from '../render/text.ts';

export default class Ps extends BaseCommand {
  static override summary = 'List containers';
  static override description =
    'Filters of one name are alternatives, of several names all must match: name, id, image, label=NAME[=VALUE], status, health, exited=CODE, network.';
  static override examples = [
    '<%= config.bin %> ps',
    '<%= config.bin %> ps -a --json',
    '<%= config.bin %> ps --filter health=unhealthy --quiet',
  ];
  static override flags = {
    all: Flags.boolean({ default: false, char: 'a', summary: 'Also those that have ended' }),
    filter: Flags.string({
      char: 'f',
      multiple: true,
      multipleNonGreedy: true,
      default: [],
      helpValue: 'NAME=VALUE',
      summary: 'Only matching containers',
    }),
    last: Flags.integer({
      char: 'n',
      min: 1,
      helpValue: 'N',
      summary: 'Only the last N that were made, also ended ones',
    }),
    latest: Flags.boolean({ default: false, char: 'l', summary: 'Only the last one that was made' }),
    'no-trunc': Flags.boolean({ default: false, summary: 'Do not shorten ids and commands' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Ps);
    const filters = flags.filter.map(parseFilter);
    const { directory } = await this.openStore(flags);
    await releaseLeftNetworks(await this.stateRoot(flags), this.progress(flags));
    const containers = openContainers(directory);
    await removeForgotten(containers, this.progress(flags));
    const count = flags.latest ? 1 : flags.last;
    const isAll =
      flags.all || count !== undefined || filters.some(({ name }) => name === 'status' || name === 'exited');
    const matching = (await listContainers(containers)).filter(
      (listed) => (isAll || isListed(listed)) && matchesAll(listed, filters),
    );
    const shown = matching.slice(0, count);
    const now = Date.now();
    const id = (text: string): string => (flags['no-trunc'] ? text : shortId(text));
    const command = (text: string): string => (flags['no-trunc'] ? text : shorten(text));
    await this.print(flags, {
      json: shown.map(describeContainer),
      quiet: shown.map(({ container }) => id(container.record.id)).join('\n'),
      text: formatTable(
        ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAME'],
        shown.map(({ container: { record }, status, health, connection }) => [
          id(record.id),
          record.image.name || record.bundle,
          command(record.command.join(' ')),
          formatAge(Date.parse(record.created), now),
          health === undefined ? formatStatus(status) : `${formatStatus(status)} (${health.status})`,
          formatPorts(connection?.ports ?? []),
          record.name,
        ]),
      ),
    });
  }
}

/** One that is still being made has no process to show. */
function isListed({ status: { state } }: ListedContainer): boolean {
  return isActive(state) && state !== 'creating';
}

function shorten(text: string): string {
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';

export default class Catalog extends BaseCommand {
  static override summary = 'List the repositories of a registry';
  static override description =
    'Registries show as much of their catalog as they like; most public ones show none.';
  static override examples = ['<%= config.bin %> catalog registry.example.com'];
  static override args = {
    registry: Args.string({ required: true, ignoreStdin: true, description: 'HOST[:PORT]' }),
  };
  static override flags = { ...registryFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Catalog);
    const { listRepositories } = await import('@ocijs/registry');
    const repositories = await listRepositories(args.registry, {
      ...registryOptions(flags),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, {
      json: { registry: args.registry, repositories },
      text: repositories.join('\n'),
    });
  }
}

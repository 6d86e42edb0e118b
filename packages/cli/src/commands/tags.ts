import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { usageError } from '../errors.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';

export default class Tags extends BaseCommand {
  static override summary = 'List the tags of a repository';
  static override examples = ['<%= config.bin %> tags debian'];
  static override args = {
    repository: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Repository, as in image names',
    }),
  };
  static override flags = { ...registryFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tags);
    const name = parseImageName(args.repository);
    if (name.transport === 'oci') throw usageError(`${args.repository} is not in a registry`);
    const { listTags } = await import('@ocijs/registry');
    const tags = await listTags(name.name, {
      ...registryOptions(flags),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, { json: { repository: name.name, tags }, text: tags.join('\n') });
  }
}

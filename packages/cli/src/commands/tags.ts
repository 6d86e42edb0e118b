import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { usageError } from '../errors.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';

export default class Tags extends BaseCommand {
  static override summary = 'List the tags of a repository';
  static override examples = [
    '<%= config.bin %> tags debian',
    "<%= config.bin %> tags --filter '^v1\\.' --sort version registry.example.com/team/app",
  ];
  static override args = {
    repository: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Repository, as in image names',
    }),
  };
  static override flags = {
    filter: Flags.string({ helpValue: 'REGEX', summary: 'Only tags that match this regular expression' }),
    sort: Flags.string({
      options: ['registry', 'name', 'version'],
      default: 'registry',
      summary: "The registry's order, by name, or by Semantic Versioning with the oldest first",
    }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tags);
    const name = registryName(args.repository);
    const sort = flags.sort === 'name' || flags.sort === 'version' ? flags.sort : undefined;
    const { listTags } = await import('@ocijs/registry');
    const tags = await listTags(name, {
      ...registryOptions(flags),
      filter: flags.filter === undefined ? undefined : parseFilter(flags.filter),
      sort,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, { json: { repository: name, tags }, text: tags.join('\n') });
  }
}

function parseFilter(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    if (error instanceof SyntaxError)
      throw usageError(`--filter ${JSON.stringify(text)} is not a regular expression`);
    throw error;
  }
}

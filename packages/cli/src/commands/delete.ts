import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';

export default class Delete extends BaseCommand {
  static override summary = 'Delete a tag, or a manifest with all its tags, from a registry';
  static override description =
    'NAME:TAG deletes that tag and leaves the other tags of the image alone. NAME@DIGEST deletes the manifest and every tag of it. NAME:TAG@DIGEST deletes the tag if it still names the digest.';
  static override examples = [
    '<%= config.bin %> delete registry.example.com/team/app:v1',
    '<%= config.bin %> delete registry.example.com/team/app@sha256:…',
  ];
  static override args = {
    reference: Args.string({ required: true, ignoreStdin: true, description: 'NAME:TAG or NAME@DIGEST' }),
  };
  static override flags = { ...registryFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Delete);
    const { deleteReference } = await import('@ocijs/registry');
    const report = await deleteReference(registryName(args.reference), {
      ...registryOptions(flags),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    const { registry, repository, tag, digest } = report;
    const name = `${registry}/${repository}`;
    await this.print(flags, {
      json: report,
      quiet: digest,
      text:
        tag === undefined
          ? `deleted ${name}@${digest} and its tags`
          : `deleted ${name}:${tag}, which named ${digest}`,
    });
  }
}

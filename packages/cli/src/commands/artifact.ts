import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';

export default class Artifact extends BaseCommand {
  static override summary = 'Fetch the files of an artifact';
  static override description =
    'Names of files come from the one who pushed the artifact: only plain names below the directory are written, and no symbolic link is followed.';
  static override examples = [
    '<%= config.bin %> artifact pull registry.example.com/team/app@sha256:… --output ./sbom',
  ];
  static override args = {
    action: Args.string({ required: true, ignoreStdin: true, options: ['pull'], description: 'pull' }),
    reference: Args.string({ required: true, ignoreStdin: true, description: 'Artifact in a registry' }),
  };
  static override flags = {
    output: Flags.string({ char: 'o', default: '.', helpValue: 'DIR', summary: 'Where to write the files' }),
    overwrite: Flags.boolean({ default: false, summary: 'Replace files that exist' }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Artifact);
    const { pullArtifact } = await import('@ocijs/registry');
    const pulled = await pullArtifact(registryName(args.reference), flags.output, {
      ...registryOptions(flags),
      overwrite: flags.overwrite,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, {
      json: pulled,
      quiet: pulled.descriptor.digest,
      text: pulled.files.map(({ path }) => path).join('\n'),
    });
    if (pulled.unnamed.length > 0) {
      this.remark(flags, `${pulled.unnamed.length} layers have no file name and were left out`);
    }
  }
}

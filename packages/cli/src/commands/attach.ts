import type { ArtifactFile } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';

export default class Attach extends BaseCommand {
  static override summary = 'Attach files to an image in its registry, as an artifact that refers to it';
  static override examples = [
    '<%= config.bin %> attach --artifact-type application/spdx+json registry.example.com/team/app:v1 sbom.json:application/json',
  ];
  static override strict = false;
  static override args = {
    reference: Args.string({ required: true, ignoreStdin: true, description: 'Image in a registry' }),
    files: Args.string({ ignoreStdin: true, description: 'FILE or FILE:MEDIATYPE, as many as you like' }),
  };
  static override flags = {
    'artifact-type': Flags.string({
      required: true,
      helpValue: 'TYPE',
      summary: 'What the artifact is, as a media type',
    }),
    annotation: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: "Annotation of the artifact's manifest; may be repeated",
    }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(Attach);
    const { attachArtifact } = await import('@ocijs/registry');
    const report = await attachArtifact(
      registryName(args.reference),
      argv.slice(1).map((text) => parseFile(String(text))),
      {
        ...registryOptions(flags),
        artifactType: flags['artifact-type'],
        annotations: parseNameValues(flags.annotation, '--annotation'),
        signal: this.signal,
        onEvent: this.progress(flags),
      },
    );
    await this.print(flags, {
      json: report,
      quiet: report.descriptor.digest,
      text: `attached ${report.reference}\nto ${report.subject.digest}`,
    });
  }
}

function parseFile(text: string): ArtifactFile {
  const [, path, mediaType] = /^(.+):([^:/]+\/[^:/]+)$/s.exec(text) ?? [];
  return path === undefined ? { path: text } : { path, mediaType };
}

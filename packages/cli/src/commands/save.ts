import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { reportDocument } from '../describe.ts';
import { CliError, usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { parseImageName } from '../image-name.ts';
import { storedName } from '../images.ts';
import { archiveOutput } from '../transfer-output.ts';

export default class Save extends BaseCommand {
  static override summary = 'Write images of the store into one archive';
  static override description =
    'The archive is one that `docker load`, podman and skopeo read, and an OCI layout as well. With --format oci-archive layers stay compressed and digests stay the same.';
  static override examples = [
    '<%= config.bin %> save debian:12 alpine -o images.tar',
    '<%= config.bin %> save --format oci-archive --all-platforms app:v1 -o app.tar',
    '<%= config.bin %> save app:v1 | docker load',
  ];
  static override strict = false;
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Names in the store, one or several',
    }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      default: '-',
      helpValue: 'FILE',
      summary: 'Where to write to (default: standard output)',
    }),
    format: Flags.string({
      options: ['docker-archive', 'oci-archive'],
      default: 'docker-archive',
      summary: 'Form of the archive',
    }),
    'all-platforms': Flags.boolean({
      default: false,
      summary: 'Every platform of the images (oci-archive)',
      exclusive: ['platform'],
    }),
    ...platformFlags,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Save);
    const isPiped = flags.output === '-';
    if (isPiped && flags.json) throw usageError('--json and the archive cannot both go to standard output');
    if (flags['all-platforms'] && flags.format === 'docker-archive')
      throw usageError("Docker's archives have images of one platform", 'add --format oci-archive');
    const output = archiveOutput(flags.output);
    const store = await this.openStore(flags);
    const names: string[] = [];
    for (const text of argv.map(String)) names.push(await this.#name(store, text));
    const { save } = await import('@ocijs/registry');
    const reports = await save(names, output, {
      store,
      format: flags.format === 'oci-archive' ? 'oci' : 'docker',
      ...(await wantedPlatform(flags.platform)),
      allPlatforms: flags['all-platforms'],
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    const lines = reports.map(({ source, digest }) => `${source.reference}@${digest}`);
    if (isPiped) return this.remark(flags, lines.join('\n'));
    await this.print(flags, {
      json: reports.map(reportDocument),
      quiet: reports.map(({ digest }) => digest).join('\n'),
      text: lines.join('\n'),
    });
  }

  async #name(store: Parameters<typeof storedName>[0], text: string): Promise<string> {
    const name = parseImageName(text);
    if (name.transport !== 'name')
      throw usageError(`${text} is not a name in the store`, '`oci copy` takes images from anywhere');
    const found = await storedName(store, name.name);
    if (found !== undefined) return found;
    throw new CliError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name.name} is not in the store`, {
      hint: `pull it first: \`oci pull ${name.name}\``,
    });
  }
}

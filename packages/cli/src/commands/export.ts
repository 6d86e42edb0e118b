import { Args, Flags } from '@oclif/core';
import { usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { writeTarOutput } from '../tar-output.ts';

export default class Export extends ImageCommand {
  static override summary = 'Write the files of an image as one tar archive';
  static override description =
    'Whiteouts are applied and owners kept, without root and without unpacking. Equal images give equal archives. Directories come first: GNU tar needs --delay-directory-restore to keep their times.';
  static override examples = [
    '<%= config.bin %> export debian:bookworm -o rootfs.tar',
    '<%= config.bin %> export alpine | tar t',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to export' }),
  };
  static override flags = {
    output: Flags.string({
      char: 'o',
      default: '-',
      helpValue: 'FILE',
      summary: 'Where to write to (default: standard output)',
    }),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Export);
    const isPiped = flags.output === '-';
    if (isPiped && flags.json) throw usageError('--json and the archive cannot both go to standard output');
    if (isPiped && process.stdout.isTTY) throw usageError('standard output is a terminal', 'use -o FILE');
    const image = await this.openImage(args.image, flags);
    const { exportImage, writeTar } = await import('@ocijs/image');
    const { signal } = this;
    const tar = writeTar(exportImage(image, { signal }), { signal });
    this.endProgress();
    const bytes = await writeTarOutput(tar, flags.output);
    if (isPiped) return;
    const { digest } = image.descriptor;
    await this.print(flags, {
      json: { reference: image.name, digest, file: flags.output, bytes },
      quiet: digest,
      text: `${image.name}@${digest} in ${flags.output}`,
    });
  }
}

import { Args, Flags } from '@oclif/core';
import { editRecord, historyFlags } from '../edit/flags.ts';
import { usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { printable } from '../render/text.ts';

export default class Rebase extends ImageCommand {
  static override summary = 'Put an image on another base';
  static override description =
    "The image's own layers keep their bytes; settings that it had from the old base come from the new one. Files that both the image and the new base changed are listed: there the image's own win. Without --old-base the annotation org.opencontainers.image.base.digest or .name says it.";
  static override examples = [
    '<%= config.bin %> rebase app:v1 app:v2 --old-base debian:12.1 --new-base debian:12.2',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = {
    'old-base': Flags.string({ helpValue: 'IMAGE', summary: 'What the image is built on' }),
    'new-base': Flags.string({ required: true, helpValue: 'IMAGE', summary: 'What it is to be built on' }),
    'no-report': Flags.boolean({ default: false, summary: 'Do not look for files that both sides changed' }),
    ...historyFlags,
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rebase);
    const record = editRecord(flags, 'oci rebase');
    const { baseAnnotations, rebaseConflicts, rebaseImage, writeDraft } = await import('@ocijs/image');
    const image = await this.openImage(args.image, flags);
    const old = flags['old-base'] ?? image.manifest.annotations?.[baseAnnotations.name];
    if (old === undefined)
      throw usageError('the image does not say what it is built on', 'name it with --old-base');
    const oldBase = await this.openImage(old, flags);
    const newBase = await this.openImage(flags['new-base'], flags);
    const options = { oldBase, newBase, record, signal: this.signal };
    const draft = rebaseImage(image, options);
    const conflicts = flags['no-report'] ? [] : await rebaseConflicts(image, options);
    await using to = await this.destination(args.new, flags);
    const { name } = to;
    const descriptor = await writeDraft(to.store, draft, {
      sources: [image, newBase],
      name,
      signal: this.signal,
    });
    if (!flags.json)
      for (const { path, base } of conflicts)
        this.remark(flags, `${printable(path)}: ${base} in the new base, and the image has its own`);
    await this.printImage(flags, { name, descriptor, conflicts });
  }
}

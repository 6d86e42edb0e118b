import { Args, Flags } from '@oclif/core';
import { listFlag, parsePairs } from '../edit/flags.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';

export default class Annotate extends ImageCommand {
  static override summary = 'Make an image with other annotations of its manifest';
  static override description =
    'Layers and configuration stay as they are. Without NEW the name moves to the new image.';
  static override examples = [
    '<%= config.bin %> annotate app:v1 --set org.opencontainers.image.source=https://example.com/app',
    '<%= config.bin %> annotate app:v1 app:v2 --clear',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = {
    set: listFlag('NAME=VALUE', 'Set an annotation'),
    unset: listFlag('NAME', 'Remove an annotation'),
    clear: Flags.boolean({ default: false, summary: 'Remove all annotations first' }),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Annotate);
    const changes = { clear: flags.clear, set: parsePairs('--set', flags.set), remove: flags.unset };
    const image = await this.openImage(args.image, flags);
    await using to = await this.destination(args.new ?? args.image, flags);
    const { draftOf, withAnnotations, writeDraft } = await import('@ocijs/image');
    const { name } = to;
    const descriptor = await writeDraft(to.store, withAnnotations(draftOf(image), changes), {
      sources: [image],
      name,
      signal: this.signal,
    });
    await this.printImage(flags, { name, descriptor });
  }
}

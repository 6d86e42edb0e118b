import { Args } from '@oclif/core';
import { editRecord, historyFlags, layerFlags, layerOptions } from '../edit/flags.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';

export default class Flatten extends ImageCommand {
  static override summary = 'Make an image of one layer';
  static override description =
    'The files and the configuration stay the same; layers and history become one. `squash` keeps the layers of a base.';
  static override examples = ['<%= config.bin %> flatten app:v1 app:flat --compression zstd'];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = { ...layerFlags, ...historyFlags, ...imageFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Flatten);
    const record = editRecord(flags, 'oci flatten');
    const options = layerOptions(flags);
    const image = await this.openImage(args.image, flags);
    await using to = await this.destination(args.new, flags);
    const { flattenImage, writeDraft } = await import('@ocijs/image');
    const { signal } = this;
    const draft = await flattenImage(to.store, image, { ...options, record, signal });
    const { name } = to;
    const descriptor = await writeDraft(to.store, draft, { sources: [image], name, signal });
    await this.printImage(flags, { name, descriptor });
  }
}

import { Args } from '@oclif/core';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { formatBytes } from '../render/bytes.ts';
import { formatTable } from '../render/table.ts';
import { shortId } from '../render/text.ts';

export default class History extends ImageCommand {
  static override summary = 'Show how an image was made, and its layers';
  static override description =
    'The newest first. Layers have the numbers that `squash --layers` takes; lines without a number brought none.';
  static override examples = ['<%= config.bin %> history debian:bookworm'];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to look at' }),
  };
  static override flags = { ...imageFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(History);
    const image = await this.openImage(args.image, flags, 'read');
    const { alignedHistory, draftOf } = await import('@ocijs/image');
    const { layers } = image.manifest;
    let count = 0;
    const lines = alignedHistory(draftOf(image)).map((entry) => {
      if (entry.empty_layer === true) return { ...entry, empty_layer: true };
      const layer = layers[count++];
      return {
        ...entry,
        ...(layer === undefined ? {} : { layer: count, digest: layer.digest, size: layer.size }),
      };
    });
    const newest = lines.toReversed();
    const rows = newest.map((line) => [
      'layer' in line ? String(line.layer) : '',
      line.created ?? '',
      'size' in line ? formatBytes(line.size ?? 0) : '0B',
      'digest' in line ? shortId(line.digest ?? '') : '',
      (line.created_by ?? line.comment ?? '').slice(0, 120),
    ]);
    await this.print(flags, {
      json: newest,
      quiet: newest.flatMap((line) => ('digest' in line ? [line.digest] : [])).join('\n'),
      text: formatTable(['LAYER', 'CREATED', 'SIZE', 'DIGEST', 'CREATED BY'], rows),
    });
  }
}

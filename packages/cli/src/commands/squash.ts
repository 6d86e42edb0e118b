import { Args, Flags } from '@oclif/core';
import { editRecord, historyFlags, layerFlags, layerOptions } from '../edit/flags.ts';
import { usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';

export default class Squash extends ImageCommand {
  static override summary = 'Make one layer of several';
  static override description =
    'The files of the image stay the same; layers outside of the range keep their bytes. What one layer brought and a later one removed is gone. Layers are counted from 1, the lowest first, as `history` lists them.';
  static override examples = [
    '<%= config.bin %> squash app:v1 app:small --layers 2-',
    '<%= config.bin %> squash app:v1 app:small --base debian:bookworm',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = {
    layers: Flags.string({
      helpValue: 'FROM-TO',
      summary: 'Which layers (default: all)',
      exclusive: ['base'],
    }),
    base: Flags.string({ helpValue: 'IMAGE', summary: 'All layers above those of this image' }),
    ...layerFlags,
    ...historyFlags,
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Squash);
    const record = editRecord(flags, 'oci squash');
    const options = layerOptions(flags);
    const image = await this.openImage(args.image, flags);
    const count = image.manifest.layers.length;
    const range =
      flags.base === undefined
        ? parseRange(flags.layers, count)
        : { from: await this.#baseLayers(flags.base, image.config.rootfs.diff_ids, flags), to: count };
    await using to = await this.destination(args.new, flags);
    const { squashLayers, writeDraft } = await import('@ocijs/image');
    const { signal } = this;
    const draft = await squashLayers(to.store, image, { range, ...options, record, signal });
    const { name } = to;
    const descriptor = await writeDraft(to.store, draft, { sources: [image], name, signal });
    await this.printImage(flags, { name, descriptor, layers: draft.layers.length });
  }

  async #baseLayers(
    text: string,
    diffIds: readonly string[],
    flags: Parameters<ImageCommand['openImage']>[1],
  ): Promise<number> {
    const { config } = await this.openImage(text, flags, 'read');
    const own = config.rootfs.diff_ids;
    if (own.every((diffId, index) => diffIds[index] === diffId)) return own.length;
    throw usageError(
      `the image is not built on ${text}`,
      'name its base as it was then, by digest if need be',
    );
  }
}

function parseRange(text: string | undefined, count: number): { readonly from: number; readonly to: number } {
  if (text === undefined) return { from: 0, to: count };
  const match = /^(\d{1,4})?-(\d{1,4})?$/.exec(text);
  if (match === null)
    throw usageError(`--layers ${text} is not FROM-TO`, 'for example 2-4, or 2- for all above the first');
  return { from: Number(match[1] ?? 1) - 1, to: Number(match[2] ?? count) };
}

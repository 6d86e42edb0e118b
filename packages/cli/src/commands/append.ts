import { stat } from 'node:fs/promises';
import { Args, Flags } from '@oclif/core';
import { archiveLayer } from '../edit/archive-layer.ts';
import { editRecord, historyFlags, layerFlags, layerOptions } from '../edit/flags.ts';
import { usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';

export default class Append extends ImageCommand {
  static override summary = 'Add a tar archive or a directory to an image as a layer';
  static override description =
    'An archive keeps its bytes, also compressed ones when the layer is to be compressed alike. Of a directory the files go in, sorted, owned by root; times are clamped to $SOURCE_DATE_EPOCH.';
  static override examples = [
    '<%= config.bin %> append debian:bookworm app:v1 ./rootfs',
    '<%= config.bin %> append app:v1 app:v2 --overlay ./upper',
    '<%= config.bin %> append app:v1 app:v2 files.tar.gz --history.comment "add the files"',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to start from' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
    source: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Archive or directory; - is standard input',
    }),
  };
  static override flags = {
    'keep-owners': Flags.boolean({ default: false, summary: 'Files of a directory keep who owns them' }),
    overlay: Flags.boolean({
      default: false,
      summary: 'The directory is the upper one of an overlayfs: its whiteouts hide files of the image',
      exclusive: ['keep-owners'],
    }),
    ...layerFlags,
    ...historyFlags,
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Append);
    const record = editRecord(flags, 'oci append');
    const { clampNs, ...options } = layerOptions(flags);
    const { signal } = this;
    if (flags.overlay && args.source === '-') throw usageError('--overlay takes a directory');
    const isDirectory = args.source !== '-' && (await stat(args.source)).isDirectory();
    const image = await this.openImage(args.image, flags);
    await using to = await this.destination(args.new, flags);
    const { draftOf, withLayer, writeDraft, writeLayer } = await import('@ocijs/image');
    const { directoryEntries, overlayEntries } = await import('@ocijs/bundle');
    const reading = {
      clampNs,
      onWarning: (message: string) => this.remark(flags, message),
      signal,
    };
    const layer = isDirectory
      ? await writeLayer(
          to.store,
          {
            entries: flags.overlay
              ? overlayEntries(args.source, reading)
              : directoryEntries(args.source, {
                  ...reading,
                  owners: flags['keep-owners'] ? 'disk' : 'root',
                }),
          },
          { ...options, signal },
        )
      : await archiveLayer(to.store, args.source, { ...options, signal });
    const draft = withLayer(draftOf(image), layer, record);
    const { name } = to;
    const descriptor = await writeDraft(to.store, draft, { sources: [image], name, signal });
    const { descriptor: added, diffId } = layer;
    await this.printImage(flags, { name, descriptor, layer: { ...added, diffId } });
  }
}

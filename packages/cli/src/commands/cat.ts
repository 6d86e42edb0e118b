import { Args } from '@oclif/core';
import { CliError, usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { write } from '../render/json.ts';

export default class Cat extends ImageCommand {
  static override summary = 'Print a file of an image';
  static override description =
    'Links are followed inside the image. The bytes are verified before the command ends well: a damaged layer makes it fail. Of layers in eStargz or zstd:chunked form, only what the file takes is read, also in a registry (docker://).';
  static override examples = ['<%= config.bin %> cat debian:bookworm /etc/os-release'];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to look into' }),
    path: Args.string({ required: true, ignoreStdin: true, description: 'File in it' }),
  };
  static override flags = { ...imageFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Cat);
    if (flags.json) throw usageError('a file is not JSON', 'leave --json out');
    const image = await this.openImage(args.image, flags, 'read');
    const { cleanPath, findNode, openImageContents } = await import('@ocijs/image');
    const { signal } = this;
    const contents = await openImageContents(image, { signal });
    const node = findNode(contents.root, cleanPath(args.path), { follow: true });
    if (node === undefined)
      throw new CliError('ERR_OCI_FILE_NOT_FOUND', `${args.path} is not in ${image.name}`);
    const { inode } = node;
    if (inode.header.type !== 'file')
      throw new CliError('ERR_OCI_FILE_NOT_FOUND', `${args.path} in ${image.name} is a ${inode.header.type}`);
    this.endProgress();
    for await (const chunk of contents.read(inode, { signal })) await write(chunk);
  }
}

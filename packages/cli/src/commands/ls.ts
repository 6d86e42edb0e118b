import { Args, Flags } from '@oclif/core';
import { describeFile, formatMode } from '../edit/describe-file.ts';
import { CliError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { formatTable } from '../render/table.ts';
import { printable } from '../render/text.ts';

export default class Ls extends ImageCommand {
  static override summary = 'List the files of an image';
  static override description =
    'What is in PATH, or everything below it with --recursive, with whiteouts applied; nothing is unpacked. Links in PATH are followed inside the image. Of layers in eStargz or zstd:chunked form, only the table of contents is read, also in a registry (docker://); others are read once, and listed in the store.';
  static override examples = [
    '<%= config.bin %> ls debian:bookworm /etc',
    '<%= config.bin %> ls app:v1 -R --json',
  ];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to look into' }),
    path: Args.string({ ignoreStdin: true, default: '/', description: 'File or directory in it' }),
  };
  static override flags = {
    recursive: Flags.boolean({ char: 'R', default: false, summary: 'Everything below' }),
    long: Flags.boolean({ char: 'l', default: false, summary: 'With mode, owner, size and time' }),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Ls);
    const image = await this.openImage(args.image, flags, 'read');
    const {
      cleanPath,
      entryLinkname,
      findNode,
      formatTime,
      openImageContents,
      pathOf,
      sortedChildren,
      walkTree,
    } = await import('@ocijs/image');
    const { root } = await openImageContents(image, { signal: this.signal });
    const top = findNode(root, cleanPath(args.path), { follow: true });
    if (top === undefined)
      throw new CliError('ERR_OCI_FILE_NOT_FOUND', `${args.path} is not in ${image.name}`);
    const nodes =
      top.children === undefined
        ? [top]
        : flags.recursive
          ? [...walkTree(top)].slice(1)
          : sortedChildren(top);
    const files = nodes.map((node) => ({
      path: `/${pathOf(node)}`,
      entry: node.inode.header,
      layer: node.inode.layer,
      linkname: node.inode.header.type === 'symlink' ? entryLinkname(node.inode.header) : '',
    }));
    const rows = files.map(({ path, entry, linkname }) => [
      formatMode(entry),
      `${entry.uid}:${entry.gid}`,
      String(entry.size),
      formatTime(entry.mtimeNs).slice(0, 19),
      linkname === '' ? path : `${path} -> ${linkname}`,
    ]);
    await this.print(flags, {
      json: files.map(({ path, entry, layer, linkname }) => ({
        ...describeFile(path, entry, layer, linkname),
        mtime: formatTime(entry.mtimeNs),
      })),
      text: flags.long
        ? formatTable(['MODE', 'OWNER', 'SIZE', 'MODIFIED', 'PATH'], rows)
        : files.map(({ path }) => printable(path)).join('\n'),
    });
  }
}

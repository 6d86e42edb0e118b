import type { FileChange, ImageSource } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { differingFields } from '../edit/differing-fields.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { printable } from '../render/text.ts';

const signs = { added: '+', changed: '~', removed: '-' } as const;

export default class Diff extends ImageCommand {
  static override summary = 'Compare two images: files, configuration, and why the digest is another one';
  static override description =
    'Files are compared by content where size and type are the same. Of what is removed only the top is listed. Ends with 0 also when the images differ.';
  static override examples = [
    '<%= config.bin %> diff app:v1 app:v2',
    '<%= config.bin %> diff app:v1 app:v2 --ignore-times',
  ];
  static override args = {
    a: Args.string({ required: true, ignoreStdin: true, description: 'The one image' }),
    b: Args.string({ required: true, ignoreStdin: true, description: 'The other image' }),
  };
  static override flags = {
    'ignore-times': Flags.boolean({
      default: false,
      summary: 'Leave out files of which only the time differs',
    }),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Diff);
    const [a, b] = [await this.openImage(args.a, flags), await this.openImage(args.b, flags)];
    const { signal } = this;
    const isSame = a.descriptor.digest === b.descriptor.digest;
    const { compareImageTrees, readImageTree } = await import('@ocijs/image');
    const files = isSame
      ? []
      : await compareImageTrees(
          { image: a, root: await readImageTree(a, { signal }) },
          { image: b, root: await readImageTree(b, { signal }) },
          { times: !flags['ignore-times'], signal },
        );
    const config = differingFields(a.config, b.config);
    const manifest = differingFields(
      { ...a.manifest, config: undefined, layers: undefined },
      { ...b.manifest, config: undefined, layers: undefined },
    );
    const reason = why({ a, b, files, config, manifest });
    await this.print(flags, {
      json: {
        a: { reference: a.name, digest: a.descriptor.digest },
        b: { reference: b.name, digest: b.descriptor.digest },
        same: isSame,
        reason,
        config,
        manifest,
        files: files.map(({ kind, path, differences }) => ({ kind, path: `/${path}`, differences })),
      },
      text: [
        reason,
        ...[...config, ...manifest].map(({ field }) => `  ${printable(field)}`),
        ...files.map(
          ({ kind, path, differences }) =>
            `${signs[kind]} /${printable(path)}${differences.length > 0 ? `  (${differences.join(', ')})` : ''}`,
        ),
      ].join('\n'),
    });
  }
}

interface Findings {
  readonly a: ImageSource;
  readonly b: ImageSource;
  readonly files: readonly FileChange[];
  readonly config: readonly { readonly field: string }[];
  readonly manifest: readonly { readonly field: string }[];
}

/** One sentence: why one digest is not the other. */
function why({ a, b, files, config, manifest }: Findings): string {
  if (a.descriptor.digest === b.descriptor.digest) return 'the images are the same';
  const layers = ({ config: { rootfs } }: ImageSource): string => rootfs.diff_ids.join();
  const blobs = ({ manifest: { layers: list } }: ImageSource): string =>
    list.map(({ digest }) => digest).join();
  const meaningful = config.filter(({ field }) => !/^(created|history|rootfs)\b/.test(field));
  if (layers(a) === layers(b)) {
    if (config.length === 0 && manifest.length === 0)
      return blobs(a) === blobs(b)
        ? 'the documents are written differently, and say the same'
        : 'the layers are compressed differently, and hold the same';
    return config.length === 0
      ? 'the layers are the same; the manifests differ'
      : meaningful.length === 0
        ? 'the layers are the same; only history and creation time differ'
        : 'the layers are the same; the configuration differs';
  }
  const andConfig = meaningful.length > 0 ? ', and the configuration' : '';
  if (files.length === 0)
    return `the files are the same, in other layers${andConfig === '' ? '' : '; the configuration differs'}`;
  const onlyTimes = files.every(({ differences }) => differences.length === 1 && differences[0] === 'time');
  return onlyTimes
    ? `only the times of ${files.length} files differ${andConfig}`
    : `${files.length} files differ${andConfig}`;
}

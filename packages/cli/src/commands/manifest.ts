import type { Descriptor } from '@ocijs/image';
import { Args } from '@oclif/core';
import { usageError } from '../errors.ts';
import { imageFlags } from '../image-command.ts';
import { parseImageName } from '../image-name.ts';
import { storedName } from '../images.ts';
import { write } from '../render/json.ts';
import ImageIndex from './image-index.ts';

export default class Manifest extends ImageIndex {
  static override summary = 'Show a manifest or index, or make an index of images';
  static override description =
    'inspect prints the manifest of an image byte for byte, or its index when the name leads to one in the store; with --platform, the manifest for it. create, add and remove are those of `oci index`; annotations of one image are set with `oci annotate`.';
  static override examples = [
    '<%= config.bin %> manifest inspect debian:bookworm',
    '<%= config.bin %> manifest create app:v1 app:v1-amd64 app:v1-arm64',
    '<%= config.bin %> manifest add app:v1 app:v1-riscv64 --annotation org.opencontainers.image.version=1',
  ];
  static override strict = false;
  static override args = {
    action: Args.string({
      required: true,
      ignoreStdin: true,
      options: ['inspect', 'create', 'add', 'remove'],
      description: 'What to do',
    }),
    name: Args.string({ required: true, ignoreStdin: true, description: 'Name of the image or index' }),
    image: Args.string({ ignoreStdin: true, description: 'Images; platforms or digests to remove' }),
  };
  static override flags = { ...ImageIndex.flags, ...imageFlags };

  override async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(Manifest);
    if (args.action !== 'inspect') return super.run();
    if (argv.length > 2) throw usageError('manifest inspect takes one image');
    const stored = flags.platform === undefined ? await this.#stored(args.name, flags) : undefined;
    const image = stored === undefined ? await this.openImage(args.name, flags, 'read') : undefined;
    this.endProgress();
    return write(stored ?? image?.rawManifest ?? new Uint8Array());
  }

  /** What a name of the store leads to, be it an index. */
  async #stored(
    text: string,
    flags: Parameters<ImageIndex['openStore']>[0],
  ): Promise<Uint8Array | undefined> {
    const name = parseImageName(text);
    if (name.transport !== 'name') return undefined;
    const store = await this.openStore(flags);
    const known = await storedName(store, name.name);
    const descriptor: Descriptor | undefined = known === undefined ? undefined : await store.resolve(known);
    return descriptor === undefined ? undefined : store.readAll(descriptor, { signal: this.signal });
  }
}

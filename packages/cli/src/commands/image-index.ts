import type { Descriptor, Platform } from '@ocijs/image';
import { Args } from '@oclif/core';
import { copyImage } from '../edit/copy-image.ts';
import { listFlag, parsePairs } from '../edit/flags.ts';
import { CliError, usageError } from '../errors.ts';
import { ImageCommand, imageFlags } from '../image-command.ts';
import { parseImageName } from '../image-name.ts';
import { storedName } from '../images.ts';

export default class ImageIndex extends ImageCommand {
  static override summary = 'Bring images of several platforms under one name';
  static override description =
    'create makes an index of images; add puts more in, in the place of one for the same platform; remove takes images out by platform or digest. The images are brought into the store.';
  static override examples = [
    '<%= config.bin %> index create app:v1 app:v1-amd64 app:v1-arm64',
    '<%= config.bin %> index add app:v1 app:v1-riscv64',
    '<%= config.bin %> index remove app:v1 linux/arm64',
  ];
  static override strict = false;
  static override args = {
    action: Args.string({
      required: true,
      ignoreStdin: true,
      options: ['create', 'add', 'remove'],
      description: 'What to do',
    }),
    name: Args.string({ required: true, ignoreStdin: true, description: 'Name of the index' }),
    image: Args.string({ ignoreStdin: true, description: 'Images; platforms or digests to remove' }),
  };
  static override flags = {
    annotation: listFlag('NAME=VALUE', 'Set an annotation of the index'),
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(ImageIndex);
    const rest = argv.slice(2).map(String);
    if (rest.length === 0 && flags.annotation.length === 0)
      throw usageError(
        `index ${args.action} needs ${args.action === 'remove' ? 'platforms or digests' : 'images'}`,
      );
    await using to = await this.destination(args.name, flags);
    const { editIndex } = await import('@ocijs/image');
    const from = args.action === 'create' ? undefined : await this.#existing(args.name, to.store);
    const { name } = to;
    const descriptor = await editIndex(to.store, from, {
      name,
      ...(args.action === 'remove'
        ? { remove: await removals(rest) }
        : { add: await this.#images(rest, flags, to.store) }),
      annotations: { set: parsePairs('--annotation', flags.annotation) },
      signal: this.signal,
    });
    await this.printImage(flags, { name, descriptor });
  }

  async #existing(text: string, store: Awaited<ReturnType<ImageCommand['openStore']>>): Promise<Descriptor> {
    const name = parseImageName(text);
    const known =
      name.transport === 'name' ? await storedName(store, name.name) : 'tag' in name ? name.tag : 'latest';
    const descriptor = known === undefined ? undefined : await store.resolve(known);
    if (descriptor !== undefined) return descriptor;
    throw new CliError('ERR_OCI_IMAGE_NOT_FOUND', `index ${text} is not there`, {
      hint: 'make it with `oci index create`',
    });
  }

  async #images(
    texts: readonly string[],
    flags: Parameters<ImageCommand['openImage']>[1],
    store: Awaited<ReturnType<ImageCommand['openStore']>>,
  ): Promise<readonly Descriptor[]> {
    const found: Descriptor[] = [];
    for (const text of texts) {
      const image = await this.openImage(text, flags);
      await copyImage(image, store, { signal: this.signal });
      found.push({ ...image.descriptor, platform: image.platform });
    }
    return found;
  }
}

async function removals(texts: readonly string[]): Promise<readonly (Platform | string)[]> {
  const { isDigest, parsePlatform } = await import('@ocijs/image');
  return texts.map((text) => (isDigest(text) ? text : parsePlatform(text)));
}

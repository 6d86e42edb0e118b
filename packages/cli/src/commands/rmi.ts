import type { NamedImage, RemovedImage, Store } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { containerRoots } from '../containers/roots.ts';
import { CliError } from '../errors.ts';

export default class Rmi extends BaseCommand {
  static override summary = 'Remove images from the store';
  static override description =
    'Takes the name away, and with the last name the blobs that no other image, container or running command needs. A digest stands for all names of an image, which takes --force when there are several.';
  static override examples = ['<%= config.bin %> rmi debian:bookworm', '<%= config.bin %> rmi 3f2a9c01d2e4'];
  static override strict = false;
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'NAME[:TAG] or digest, one or several',
    }),
  };
  static override flags = {
    force: Flags.boolean({
      default: false,
      char: 'f',
      summary: 'Also with several names or a container; no error for an image that is not there',
    }),
    'no-prune': Flags.boolean({ default: false, summary: 'Take only the name away' }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Rmi);
    const store = await this.openStore(flags);
    const { force } = flags;
    const { removeImage } = await import('@ocijs/image');
    const roots = await containerRoots(store.directory);
    const removed: RemovedImage[] = [];
    // All are looked up first: a mistake in one name must not cost the others.
    const doomed = new Map<string, NamedImage>();
    for (const typed of argv.map(String))
      for (const image of await imagesFor(store, { typed, force })) doomed.set(image.name, image);
    if (!force) await refuseUsed(store, [...doomed.values()]);
    for (const name of doomed.keys()) {
      this.signal.throwIfAborted();
      removed.push(await removeImage(store, name, { prune: !flags['no-prune'], roots, signal: this.signal }));
    }
    const documents = removed.map(({ name, descriptor, blobs }) => {
      const gone = blobs.filter(({ kept }) => !kept);
      return {
        name,
        digest: descriptor.digest,
        removed: gone.map(({ digest }) => digest),
        bytesFreed: gone.reduce((total, { size }) => total + size, 0),
      };
    });
    await this.print(flags, {
      json: documents,
      quiet: documents.map(({ digest }) => digest).join('\n'),
      text: documents
        .flatMap(({ name, removed: gone }) => [
          `untagged ${name}`,
          ...gone.map((digest) => `removed ${digest}`),
        ])
        .join('\n'),
    });
  }
}

async function imagesFor(
  store: Store,
  { typed, force }: { readonly typed: string; readonly force: boolean },
): Promise<readonly NamedImage[]> {
  const { findImages } = await import('@ocijs/image');
  const found = await findImages(store, typed);
  if (found.length === 0 && !force)
    throw new CliError('ERR_OCI_IMAGE_NOT_FOUND', `image ${typed} is not in the store`, {
      hint: 'see `oci images`',
    });
  if (found.length > 1 && !force)
    throw new CliError('ERR_OCI_IMAGE_IN_USE', `image ${typed} has ${found.length} names`, {
      hint: `remove them one by one, or all with --force: ${found.map(({ name }) => name).join(', ')}`,
    });
  return found;
}

/** As Docker does, an image that a container was made from keeps its last name. */
async function refuseUsed(store: Store, doomed: readonly NamedImage[]): Promise<void> {
  const containers = await openContainers(store.directory).list();
  const staying = (await store.list()).filter(({ name }) => doomed.every((image) => image.name !== name));
  for (const { name, descriptor } of doomed) {
    const user = containers.find(({ record }) => record.image.name === name);
    if (user === undefined || staying.some((image) => image.descriptor.digest === descriptor.digest))
      continue;
    throw new CliError('ERR_OCI_IMAGE_IN_USE', `image ${name} is used by container ${user.record.name}`, {
      hint: `remove the container first: \`oci rm ${user.record.name}\`, or use --force`,
    });
  }
}

import { writeFile } from 'node:fs/promises';
import type { Descriptor, ImageSource, Store } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { reportDocument } from '../describe.ts';
import { CliError, usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { nameInRegistry, parseImageName } from '../image-name.ts';
import { openImage, openLayoutEntry, storedName } from '../images.ts';
import { keepHeapSmall } from '../memory.ts';
import { formatBytes } from '../render/bytes.ts';

type PushFlagValues = GlobalFlagValues & RegistryFlagValues & { readonly platform?: string | undefined };

export default class Push extends BaseCommand {
  static override summary = 'Send an image to a registry';
  static override examples = ['<%= config.bin %> push app:v1 registry.example.com/team/app:v1'];
  static override args = {
    image: Args.string({ required: true, ignoreStdin: true, description: 'Image to send' }),
    destination: Args.string({ ignoreStdin: true, description: "Where to (default: the image's own name)" }),
  };
  static override flags = {
    digestfile: Flags.string({
      helpValue: 'FILE',
      summary: 'Write the digest of what was pushed to this file',
    }),
    'all-platforms': Flags.boolean({
      default: false,
      summary: 'Push every platform of the image',
      exclusive: ['platform'],
    }),
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    keepHeapSmall();
    const { args, flags } = await this.parse(Push);
    const destination = destinationOf(args.destination ?? args.image);
    const { push } = await import('@ocijs/registry');
    const options = {
      ...registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      ...(flags['all-platforms'] ? { allPlatforms: true } : {}),
      signal: this.signal,
      onEvent: this.progress(flags),
    };
    const { source, store } = await this.#source(args.image, flags);
    const report = await push(source, destination, { ...options, store });
    if (flags.digestfile !== undefined) await writeFile(flags.digestfile, report.digest);
    const { reference, digest, blobs, bytesPushed = 0 } = report;
    const sent = blobs.filter(({ status }) => status === 'pushed').length;
    await this.print(flags, {
      json: reportDocument(report),
      quiet: digest,
      text: `${reference}@${digest}\n${sent} of ${blobs.length} blobs pushed, ${formatBytes(bytesPushed)}`,
    });
  }

  /** What to push and where its content is: a store and layouts give all platforms, a registry the chosen one. */
  async #source(text: string, flags: PushFlagValues): Promise<Source> {
    const name = parseImageName(text);
    if (name.transport === 'oci') {
      const layout = await openLayoutEntry(name);
      return { source: layout.descriptor, store: layout.store };
    }
    const store = await this.openStore(flags);
    if (name.transport !== 'name') {
      const source = await openImage(name, {
        openStore: async () => store,
        pull: 'never',
        remote: 'read',
        registry: registryOptions(flags),
        ...(await wantedPlatform(flags.platform)),
        signal: this.signal,
        onEvent: this.progress(flags),
      });
      return { source, store };
    }
    const source = await storedName(store, name.name);
    if (source !== undefined) return { source, store };
    throw new CliError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name.name} is not in the store`, {
      hint: 'see `oci images`',
    });
  }
}

interface Source {
  readonly source: string | Descriptor | ImageSource;
  readonly store: Store;
}

function destinationOf(text: string): string {
  const name = nameInRegistry(parseImageName(text));
  if (name !== undefined) return name;
  throw usageError('push needs a destination in a registry', 'oci push IMAGE REGISTRY/NAME[:TAG]');
}

import type { OnEvent } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { removeUnusedSnapshots, snapshotsDirectory, snapshotsOfImages } from '../containers/snapshots.ts';
import { usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { parseImageName } from '../image-name.ts';
import { openImage } from '../images.ts';
import { describeFailure } from '../render/failure.ts';
import { endWithCaller } from '../user-namespace/enter.ts';
import { report } from '../user-namespace/run-oci.ts';

type Values = GlobalFlagValues & {
  readonly digest: string;
  readonly 'media-type': string;
  readonly size: number;
  readonly 'dry-run': boolean;
  readonly platform?: string | undefined;
};

/** Makes and removes the snapshots of a user namespace, in it; started by `run` and `gc` of an ordinary user, not by people. */
export default class Snapshots extends BaseCommand {
  static override hidden = true;
  static override summary = 'Make or remove the unpacked layers of a user namespace';
  static override args = {
    action: Args.string({ required: true, ignoreStdin: true, options: ['make', 'remove'] }),
    image: Args.string({ ignoreStdin: true, description: 'Where the image to make is; without, the store' }),
  };
  static override flags = {
    digest: Flags.string({ default: '', helpValue: 'DIGEST', summary: 'Of the manifest of the image' }),
    'media-type': Flags.string({ default: '', helpValue: 'TYPE', summary: 'Of the manifest' }),
    size: Flags.integer({ default: 0, helpValue: 'BYTES', summary: 'Of the manifest' }),
    'dry-run': Flags.boolean({ default: false, summary: 'Only tell what would be removed' }),
    ...platformFlags,
  };

  async run(): Promise<void> {
    endWithCaller();
    const { args, flags } = await this.parse(Snapshots);
    try {
      const result = args.action === 'make' ? await this.#make(args.image, flags) : await this.#remove(flags);
      await report({ result });
    } catch (error) {
      await report({ failure: describeFailure(error) });
      throw error;
    }
  }

  async #make(typed: string | undefined, flags: Values): Promise<unknown> {
    const { parseDigest } = await import('@ocijs/image');
    const { openSnapshots } = await import('@ocijs/bundle');
    const digest = parseDigest(flags.digest);
    const store = await this.openStore(flags);
    const { signal } = this;
    const onEvent: OnEvent = (event) => void report({ event });
    const image =
      typed === undefined
        ? await store.image({ digest, mediaType: flags['media-type'], size: flags.size }, { signal })
        : await openImage(parseImageName(typed), {
            openStore: async () => store,
            pull: 'never',
            remote: 'read',
            registry: {},
            ...(await wantedPlatform(flags.platform)),
            signal,
            onEvent,
          });
    if (image.descriptor.digest !== digest)
      throw usageError(`${image.name} has changed meanwhile: it is ${image.descriptor.digest}`);
    const snapshots = await openSnapshots(snapshotsDirectory(store.directory), { signal });
    using _ = await snapshots.use({ signal });
    await snapshots.ensure(image, { signal, onEvent });
    return { kind: snapshots.kind };
  }

  async #remove(flags: Values): Promise<unknown> {
    const store = await this.openStore(flags);
    const keep = await snapshotsOfImages(store);
    return removeUnusedSnapshots(store.directory, { keep, dryRun: flags['dry-run'], signal: this.signal });
  }
}

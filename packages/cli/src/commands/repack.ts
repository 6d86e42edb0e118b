import type { BundleState } from '@ocijs/bundle';
import { Args, Flags } from '@oclif/core';
import { editRecord, historyFlags, layerFlags, layerOptions, listFlag } from '../edit/flags.ts';
import { CliError, usageError } from '../errors.ts';
import { ImageCommand, type ImageFlagValues, imageFlags } from '../image-command.ts';
import { endWithCaller } from '../user-namespace/enter.ts';

export default class Repack extends ImageCommand {
  static override summary = 'Make an image of a bundle that was changed';
  static override description =
    'What changed in DIR/rootfs since `unpack` becomes a layer on top of the image that DIR was made from; its own layers keep their bytes. Volumes of the image are left out. Only bundles of `oci unpack` can be repacked.';
  static override examples = [
    '<%= config.bin %> repack bundle app:v2',
    '<%= config.bin %> repack bundle app:v2 --refresh-bundle --mask-path /var/cache --compression zstd',
  ];
  static override args = {
    directory: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Bundle that `oci unpack` made',
    }),
    image: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or oci:DIR[:TAG]' }),
  };
  static override flags = {
    base: Flags.string({
      helpValue: 'IMAGE',
      summary:
        'Where the image that DIR was made from is (default: found by its digest, in a store or in the registry that it was unpacked from)',
    }),
    'mask-path': listFlag('PATH', 'Leave changes at and below this path out'),
    'no-mask-volumes': Flags.boolean({ default: false, summary: 'Take changes in volumes too' }),
    'refresh-bundle': Flags.boolean({
      default: false,
      summary: 'Make DIR a bundle of the new image, for the next repack',
    }),
    ...layerFlags,
    ...historyFlags,
    ...imageFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Repack);
    const record = editRecord(flags, 'oci repack');
    const options = layerOptions(flags);
    const { readState, repack } = await import('@ocijs/bundle');
    const state = await readState(args.directory);
    const namespace = process.geteuid?.() === 0 ? undefined : state?.userNamespace;
    if (namespace !== undefined) return this.runInNamespace(flags, { hasRanges: true, options: namespace });
    endWithCaller();
    await using to = await this.destination(args.image, flags);
    const base =
      flags.base === undefined
        ? await this.#base(state?.image, { flags, stores: [to.store, await this.openStore(flags)] })
        : await this.openImage(flags.base, flags);
    const { name } = to;
    const { descriptor, layer, changes } = await repack(args.directory, to.store, {
      ...options,
      base,
      name,
      record,
      maskPaths: flags['mask-path'],
      maskVolumes: !flags['no-mask-volumes'],
      refresh: flags['refresh-bundle'],
      onWarning: (message) => this.remark(flags, message),
      signal: this.signal,
    });
    if (layer === undefined) this.remark(flags, 'nothing changed since the image was unpacked');
    await this.printImage(flags, {
      name,
      descriptor,
      changes: changes.length,
      ...(layer === undefined ? {} : { layer: { ...layer.descriptor, diffId: layer.diffId } }),
    });
  }

  /** The image that the bundle was made from, by its digest: in a store, or where it was unpacked from. */
  async #base(
    image: BundleState['image'] | undefined,
    {
      stores,
      flags,
    }: {
      readonly stores: readonly Awaited<ReturnType<ImageCommand['openStore']>>[];
      readonly flags: ImageFlagValues;
    },
  ): ReturnType<ImageCommand['openImage']> {
    const { MediaType, parseDigest, parseReference } = await import('@ocijs/image');
    if (image === undefined)
      throw new CliError('ERR_OCI_REPACK_FAILED', 'the bundle was not made by `oci unpack`', {
        hint: 'a bundle of umoci is repacked by `umoci repack`',
      });
    const digest = parseDigest(image.digest);
    for (const store of stores) {
      const size = await store.size(digest);
      if (size === undefined) continue;
      const mediaType = image.mediaType ?? MediaType.manifest;
      return store.image({ mediaType, digest, size }, { signal: this.signal });
    }
    if (image.origin === 'registry' && flags.pull !== 'never') {
      // Its tag may have moved on.
      const { registry, repository } = parseReference(image.name);
      return this.openImage(`docker://${registry}/${repository}@${digest}`, flags, 'read');
    }
    throw usageError(
      `the image ${image.name} that the bundle was made from is not in the store`,
      'pull it again, or say where it is with --base',
    );
  }
}

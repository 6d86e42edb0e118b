import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { IdMapping } from '@ocijs/bundle';
import type { ImageSource } from '@ocijs/image';
import { Args, Flags } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { snapshotsDirectory } from '../containers/snapshots.ts';
import { platformText } from '../describe.ts';
import { environment } from '../env.ts';
import { CliError, usageError } from '../errors.ts';
import { parseIdMaps } from '../flags/id-map.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { pullFlags } from '../flags/pull.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { leaseImage } from '../image-lease.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import { releaseMemoryAtUnpack } from '../memory.ts';
import { planRootless } from '../run/rootless.ts';
import { endWithCaller, storeVariables } from '../user-namespace/enter.ts';
import { isInUserNamespace } from '../user-namespace/spawn.ts';

export default class Unpack extends BaseCommand {
  static override summary = 'Unpack an image into a runtime bundle';
  static override description =
    'Makes DIR/rootfs and DIR/config.json. A DIR with anything in it is refused, and a failure leaves nothing behind. The files of an image that was run before are copied from its snapshots, and shared with them on file systems with reflinks (XFS, btrfs); on btrfs rootfs becomes a subvolume, which rm removes as ever. docker://NAME is unpacked while it is fetched, and nothing of it goes into the store; what is in the store already is not fetched.';
  static override examples = [
    '<%= config.bin %> unpack debian:bookworm bundle',
    '<%= config.bin %> unpack oci:layout:v1 bundle',
    '<%= config.bin %> unpack docker://registry.example.com/team/app:v1 bundle',
    '<%= config.bin %> unpack --userns debian:bookworm bundle',
  ];
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'NAME, docker://NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE or dir:DIR',
    }),
    directory: Args.string({ required: true, ignoreStdin: true, description: 'New or empty directory' }),
  };
  static override flags = {
    'rootfs-only': Flags.boolean({
      default: false,
      summary: 'Put the files into DIR itself, without a configuration',
    }),
    rootless: Flags.boolean({
      default: false,
      summary: 'Unpack as an ordinary user, all files owned by the caller',
    }),
    userns: Flags.boolean({
      default: false,
      exclusive: ['rootless', 'uid-map', 'gid-map'],
      summary: 'As an ordinary user: keep owners, as your subordinate ids',
    }),
    'uid-map': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'CONTAINER:HOST:SIZE',
      summary: 'Shift user ids',
    }),
    'gid-map': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'CONTAINER:HOST:SIZE',
      summary: 'Shift group ids',
    }),
    'keep-dirlinks': Flags.boolean({
      default: false,
      summary: 'Keep a symlink to a directory where a later layer has a directory',
    }),
    ...pullFlags,
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Unpack);
    const uidMap = await parseIdMaps('--uid-map', flags['uid-map']);
    const gidMap = await parseIdMaps('--gid-map', flags['gid-map']);
    const isOrdinary = process.geteuid?.() !== 0;
    const isInside = isInUserNamespace();
    const hasMaps = uidMap.length + gidMap.length > 0;
    const sharesNamespace = flags.userns || (hasMaps && (isInside || isOrdinary) && !flags.rootless);
    if (sharesNamespace && !isInside) return this.#inNamespace(flags, { uidMap, gidMap });
    endWithCaller();
    const onEvent = this.progress(flags);
    const name = parseImageName(args.image);
    const openStore = () => this.openStore(flags);
    const { signal } = this;
    const opened = await openImage(name, {
      openStore,
      pull: flags.pull as PullPolicy,
      remote: 'read',
      registry: registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      signal,
      onEvent,
    });
    // Content comes straight from the socket, unless it is here already.
    const stored = name.transport === 'docker' ? await this.#stored(opened, flags) : undefined;
    const isStreamed = name.transport === 'docker' && stored === undefined;
    const image = stored ?? opened;
    await using _lease = isStreamed
      ? undefined
      : await leaseImage(image, { name, openStore, purpose: 'unpack', signal });
    const { unpack } = await import('@ocijs/bundle');
    const bundle = await unpack(image, args.directory, {
      rootfsOnly: flags['rootfs-only'],
      keepDirlinks: flags['keep-dirlinks'],
      ...(isStreamed ? { origin: 'registry' } : {}),
      ...(!isStreamed && (name.transport === 'name' || name.transport === 'docker')
        ? { snapshots: snapshotsDirectory((await openStore()).directory) }
        : {}),
      ...(flags.rootless ? { rootless: true } : {}),
      ...(sharesNamespace ? { sharesNamespace } : { uidMap, gidMap }),
      signal,
      onEvent: releaseMemoryAtUnpack(image, onEvent),
    });
    const { digest } = image.descriptor;
    const { directory, rootfs } = bundle;
    await this.print(flags, {
      json: { reference: image.name, digest, platform: platformText(image.platform), directory, rootfs },
      quiet: digest,
      text: `unpacked ${image.name}@${digest} into ${directory}`,
    });
  }

  /** The same image, when the store has all of it. */
  async #stored(image: ImageSource, flags: GlobalFlagValues): Promise<ImageSource | undefined> {
    const { OCI_STORE: directory } = await storeVariables(flags);
    if (directory === undefined || !existsSync(join(directory, 'oci-layout'))) return undefined;
    const store = await this.openStore(flags);
    const { descriptor, manifest } = image;
    for (const { digest } of [descriptor, manifest.config, ...manifest.layers])
      if ((await store.size(digest)) === undefined) return undefined;
    return { ...(await store.image(descriptor, { signal: this.signal })), name: image.name };
  }

  /** Only root of a user namespace gives an ordinary user's files to subordinate ids. */
  async #inNamespace(
    flags: GlobalFlagValues,
    { uidMap, gidMap }: { readonly uidMap: readonly IdMapping[]; readonly gidMap: readonly IdMapping[] },
  ): Promise<void> {
    if (process.geteuid?.() === 0)
      throw usageError('--userns is for ordinary users', 'as root, use --uid-map and --gid-map');
    const plan = await planRootless(environment['PATH'] ?? '', 'host');
    const { uidMappings, gidMappings } = plan.options;
    const ids = {
      hasRanges: true,
      options: {
        uidMappings: uidMap.length > 0 ? uidMap : uidMappings,
        gidMappings: gidMap.length > 0 ? gidMap : gidMappings,
      },
    };
    if (!plan.hasRanges)
      throw new CliError('ERR_OCI_HOST_UNSUITABLE', 'there are no subordinate ids to give files to', {
        hint: 'see `oci doctor`, or use --rootless, which notes owners instead',
      });
    return this.runInNamespace(flags, ids);
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { RootlessOptions, RootReader, RuntimeSpec } from '@ocijs/bundle';
import type { ImageSource, OnEvent } from '@ocijs/image';
import { environment } from '../env.ts';
import { CliError, usageError } from '../errors.ts';
import type { ImageName } from '../image-name.ts';
import type { NetworkChoice } from '../network/choice.ts';
import { type HostNames, parseNameServers, writeEtcFiles } from '../network/files.ts';
import { systemMeaning } from '../render/system-error.ts';
import type { OverlayHolder } from '../user-namespace/holder.ts';
import { deviceEdits, hostDevices, parseDevice } from './devices.ts';
import type { RunFlagValues } from './flags.ts';
import { overrideConfig } from './image-config.ts';
import { withInit } from './init.ts';
import { parseMount, parseVolume } from './mounts.ts';
import type { Placements } from './namespaces.ts';
import { joinHolder } from './own-overlay.ts';
import { planRootless, type RootlessPlan } from './rootless.ts';
import { withSeccomp } from './seccomp.ts';
import { capabilitySet, grantableCapabilities } from './security.ts';
import { applyRunFlags } from './spec.ts';
import { terminalSize } from './terminal.ts';

/** A new container id: 64 hexadecimal digits. */
export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/** What {@link prepareBundle} works with. */
export interface PrepareOptions {
  /** The container's directory; the bundle is made in it. */
  readonly directory: string;
  readonly storeDirectory: string;
  /** Where the layers are that containers share. */
  readonly snapshots: string;
  /** Where the image is, and how that was typed. */
  readonly name: ImageName;
  readonly typed: string;
  readonly command: readonly string[];
  /** The variables of `--env` and `--env-file`. */
  readonly environment: readonly string[];
  readonly flags: RunFlagValues;
  readonly names: HostNames;
  readonly network: NetworkChoice;
  readonly placements: Placements;
  /** The directory of the container whose network is shared. */
  readonly sharedFiles?: string | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/** A bundle that is ready to be launched. */
export interface PreparedBundle {
  readonly directory: string;
  readonly config: RuntimeSpec;
  /** What it needs until it is launched; to be disposed of then. */
  readonly prepared: Disposable;
}

/**
 * Makes the root file system of one container over the layers that all containers of the image share, and writes the
 * configuration for it.
 */
export async function prepareBundle(image: ImageSource, options: PrepareOptions): Promise<PreparedBundle> {
  const { directory, flags, names, network, placements, onEvent } = options;
  const plan = await rootlessPlan(network, onEvent);
  if (flags['emulate-owners']) requireOneId(plan);
  const rootless = plan?.options;
  const bundle = join(directory, 'bundle');
  using cleanup = new DisposableStack();
  const { rootfs, holder } = await prepareRoot(image, { ...options, bundle, plan });
  cleanup.use(holder);
  const { hostname } = names;
  const base = await imageSpec(image, { ...options, rootfs, rootless, hostname });
  requireMappedUser(base, plan);
  const requests = [...(flags.device ?? []).map(parseDevice), ...(await privilegedDevices(flags, rootless))];
  const size = terminalSize();
  const edited = applyRunFlags(base, flags, {
    hostname: placements.uts === 'host' ? undefined : hostname,
    rootless: rootless !== undefined,
    devices: await deviceEdits(requests, { rootless: rootless !== undefined }),
    files: await writeEtcFiles(directory, {
      names,
      network,
      nameServers: parseNameServers(flags),
      shared: options.sharedFiles,
      isReadOnly: flags['read-only'],
    }),
    placements,
    groups: await groupNumbers(rootfs, flags['group-add'] ?? []),
    ...(size && { consoleSize: { height: size.rows, width: size.columns } }),
  });
  const joined = holder === undefined ? edited : joinHolder(edited, holder);
  const config = await withInit(await withSeccomp(joined, flags), { directory, flags });
  await prepareSources(flags);
  await writeFile(join(bundle, 'config.json'), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return { directory: bundle, config, prepared: cleanup.move() };
}

/** Where the container's files are, or what reads them, and what they are mounted in unless that is the host. */
async function prepareRoot(
  image: ImageSource,
  options: PrepareOptions & { readonly bundle: string; readonly plan: RootlessPlan | undefined },
): Promise<{ readonly rootfs: string | RootReader; readonly holder?: OverlayHolder }> {
  const { bundle, snapshots, storeDirectory, flags, plan, signal, onEvent } = options;
  const common = { snapshots, temporary: flags.rm, signal, onEvent };
  // What another runtime makes of namespaces that it joins is its own affair.
  if (plan !== undefined && flags.runtime === undefined) {
    const { mountOwnOverlay } = await import('./own-overlay.ts');
    const { name, typed } = options;
    const request = { ...common, directory: bundle, storeDirectory, name, typed, plan };
    const holder = await mountOwnOverlay(image, request);
    if (holder !== undefined) {
      const { readOwnOverlay } = await import('@ocijs/bundle');
      return { rootfs: (path, limits) => readOwnOverlay(bundle, path, limits), holder };
    }
  }
  const { prepareRootfs } = await import('@ocijs/bundle');
  return await prepareRootfs(image, bundle, common);
}

async function rootlessPlan(network: NetworkChoice, onEvent: OnEvent): Promise<RootlessPlan | undefined> {
  if (process.geteuid?.() === 0) return undefined;
  const plan = await planRootless(environment['PATH'] ?? '', network.mode === 'host' ? 'host' : 'private');
  if (!plan.hasRanges) {
    const message = 'no subordinate ids: only the user root exists in the container (see `oci doctor`)';
    onEvent({ type: 'warning', code: 'ERR_OCI_HOST_UNSUITABLE', message });
  }
  return plan;
}

/** The numbers of groups of the image, by name or number. */
async function groupNumbers(
  rootfs: string | RootReader,
  groups: readonly string[],
): Promise<readonly number[]> {
  if (groups.length === 0) return [];
  const { lookupUser } = await import('@ocijs/bundle/spec');
  return groups.map((group) => lookupUser(rootfs, `0:${group}`).gid);
}

/** With subordinate ids, files have owners. Throws ERR_OCI_USAGE. */
function requireOneId(plan: RootlessPlan | undefined): void {
  if (plan?.hasRanges)
    throw usageError(
      '--emulate-owners is for users without subordinate ids',
      'leave it out: files belong to those of your ids that stand for the owners of the image',
    );
}

/** A user that no id of the host stands for cannot run anything. */
function requireMappedUser(spec: RuntimeSpec, plan: RootlessPlan | undefined): void {
  const { uid = 0, gid = 0 } = spec.process?.user ?? {};
  if (plan === undefined || plan.hasRanges || (uid === 0 && gid === 0)) return;
  throw new CliError(
    'ERR_OCI_HOST_UNSUITABLE',
    `the container would run as ${uid}:${gid}, which needs subordinate ids`,
    {
      hint: 'see `oci doctor`, or run as root of the container with --user 0:0',
    },
  );
}

interface ImageSpecOptions extends PrepareOptions {
  readonly rootfs: string | RootReader;
  readonly rootless: RootlessOptions | undefined;
  readonly hostname: string;
}

async function imageSpec(image: ImageSource, options: ImageSpecOptions): Promise<RuntimeSpec> {
  const { dockerCapabilities, specFromImage } = await import('@ocijs/bundle/spec');
  const { flags, rootfs, rootless, hostname } = options;
  const overridden = overrideConfig(image.config, {
    command: options.command,
    entrypoint: flags.entrypoint,
    environment: [`HOSTNAME=${hostname}`, ...options.environment],
    workdir: flags.workdir,
  });
  return specFromImage(overridden, {
    rootfs,
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(rootless === undefined ? {} : { rootless }),
    capabilities: capabilitySet(flags, {
      defaults: dockerCapabilities,
      available: await grantableCapabilities({ rootless: rootless !== undefined }),
    }),
    // The root file system holds what the image has at its volumes; only a read-only root needs a place to write.
    volumes: flags['read-only'] ? 'tmpfs' : 'ignore',
  });
}

async function privilegedDevices(flags: RunFlagValues, rootless: RootlessOptions | undefined) {
  // An ordinary user's container sees no more devices than the user may open, and those can be named with --device.
  return flags.privileged && rootless === undefined ? hostDevices() : [];
}

/** Missing sources of `--volume` become directories, as for Docker; those of `--mount` are an error. Throws ERR_OCI_USAGE. */
async function prepareSources(flags: RunFlagValues): Promise<void> {
  for (const { source } of (flags.mount ?? []).map(parseMount)) {
    if (source === undefined || !isAbsolute(source)) continue;
    await stat(source).catch((error: unknown) => {
      throw usageError(
        `--mount source ${source} cannot be used: ${systemMeaning(error)}`,
        'make it first; --volume makes a directory that is missing',
      );
    });
  }
  for (const { source } of (flags.volume ?? []).map(parseVolume)) {
    if (source === undefined) continue;
    await mkdir(source, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      // A file of that name is mounted as a file.
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

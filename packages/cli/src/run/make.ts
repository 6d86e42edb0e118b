import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSource, OnEvent } from '@ocijs/image';
import type { LaunchBundle } from '@ocijs/runtime';
import type { Containers, KnownContainer } from '../containers/collection.ts';
import { lookAfter } from '../containers/forgotten.ts';
import { type ContainerRecord, writeRecord } from '../containers/record.ts';
import { removeDirectory } from '../containers/remove.ts';
import { snapshotsDirectory } from '../containers/snapshots.ts';
import { usageError } from '../errors.ts';
import { healthConfig } from '../health/config.ts';
import type { ImageName } from '../image-name.ts';
import { parseAddHost } from '../network/files.ts';
import { systemMeaning } from '../render/system-error.ts';
import { bundleCommand } from './bundle.ts';
import type { RunFlagValues } from './flags.ts';
import { type Asked, findPlacements } from './namespaces.ts';
import { type ChosenNetwork, publishedPorts } from './network.ts';
import { newContainerId, prepareBundle } from './prepare.ts';

/** What every new container is made with. */
export interface NewContainer {
  readonly containers: Containers;
  readonly name: string;
  readonly flags: RunFlagValues;
  readonly labels: Readonly<Record<string, string>>;
  /** The directory of the runtime's state. */
  readonly root: string;
}

/** A container that can be launched. */
export interface MadeContainer {
  readonly container: KnownContainer;
  readonly bundle: LaunchBundle | string;
  /** What the bundle needs until it is launched; to be disposed of then. */
  readonly prepared?: Disposable;
  /** Of one that is removed at its end: held until whoever does that has begun. */
  readonly care?: Disposable | undefined;
}

/** Makes a container of an image. What has begun is in its record; a failure leaves nothing. */
export async function makeFromImage(
  image: ImageSource,
  options: NewContainer & {
    readonly storeDirectory: string;
    /** Where the image is, and how that was typed. */
    readonly imageName: ImageName;
    readonly typed: string;
    readonly command: readonly string[];
    /** The variables of `--env` and `--env-file`. */
    readonly variables: readonly string[];
    readonly network: ChosenNetwork;
    readonly signal: AbortSignal;
    readonly onEvent: OnEvent;
  },
): Promise<MadeContainer> {
  const { containers, flags, name, network, command, signal, onEvent } = options;
  const { choice } = network;
  const shared = choice.mode === 'container' ? await containers.find(choice.container) : undefined;
  const placements = await findPlacements(flags, {
    network: networkPlace(choice),
    find: (typed) => containers.find(typed),
  });
  const id = newContainerId();
  const hostname = shared?.record.names?.hostname ?? flags.hostname ?? id.slice(0, 12);
  const names = { hostname, entries: (flags['add-host'] ?? []).map(parseAddHost) };
  const config = image.config.config;
  const health = healthConfig(config?.Healthcheck, flags, { shell: config?.Shell });
  await requireSignal(flags['stop-signal']);
  const stopSignal = flags['stop-signal'] ?? config?.StopSignal;
  const stopTimeout = flags['stop-timeout'] ?? config?.StopTimeout;
  const directory = await containers.claim(id, name);
  using cleanup = new DisposableStack();
  try {
    const care = flags.rm ? cleanup.use(await lookAfter(directory)) : undefined;
    const record: ContainerRecord = {
      ...commonRecord(id, options),
      image: { name: image.name, digest: image.descriptor.digest },
      command,
      bundle: join(directory, 'bundle'),
      network: { choice, ports: publishedPorts(network, flags, image.config) },
      names,
      ...(stopSignal === undefined ? {} : { stopSignal }),
      ...(stopTimeout === undefined ? {} : { stopTimeout }),
      ...(health === undefined ? {} : { health }),
    };
    // From now on there may be a mount: a killed run leaves something that can be seen and removed.
    await writeRecord(directory, { ...record, preparedBy: process.pid });
    const { storeDirectory, imageName, typed } = options;
    const bundle = await prepareBundle(image, {
      directory,
      storeDirectory,
      snapshots: snapshotsDirectory(storeDirectory),
      name: imageName,
      typed,
      command,
      environment: options.variables,
      flags,
      names,
      network: choice,
      placements,
      sharedFiles: shared?.directory,
      signal,
      onEvent,
    });
    cleanup.use(bundle.prepared);
    const ready = { ...record, command: bundle.config.process?.args ?? [] };
    await writeRecord(directory, ready);
    await writeIdFile(flags, id);
    cleanup.move();
    return { container: { directory, record: ready }, bundle, prepared: bundle.prepared, care };
  } catch (error) {
    await discard(containers, { directory, id, name });
    throw error;
  }
}

/** Makes a container of a bundle, which is launched as it is. */
export async function makeFromBundle(typed: string, options: NewContainer): Promise<MadeContainer> {
  const { bundle, command } = await bundleCommand(typed);
  const id = newContainerId();
  const directory = await options.containers.claim(id, options.name);
  const care = options.flags.rm ? await lookAfter(directory) : undefined;
  const record = { ...commonRecord(id, options), image: { name: '', digest: '' }, command, bundle };
  await writeRecord(directory, record);
  return { container: { directory, record }, bundle, care };
}

function commonRecord(id: string, { name, root, flags, labels }: NewContainer) {
  const created = new Date().toISOString();
  const hasLabels = Object.keys(labels).length > 0;
  const { rm: remove, runtime } = flags;
  return {
    ...{ id, name, created, root, remove },
    ...(runtime === undefined ? {} : { runtime }),
    ...(flags['emulate-owners'] ? { emulatesOwners: true } : {}),
    ...(hasLabels ? { labels } : {}),
  };
}

/** Throws ERR_OCI_SIGNAL_INVALID. */
async function requireSignal(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const { parseSignal } = await import('@ocijs/runtime');
  parseSignal(text);
}

function networkPlace(choice: ChosenNetwork['choice']): Asked {
  if (choice.mode === 'container') return { container: choice.container };
  return choice.mode === 'host' ? 'host' : 'private';
}

async function writeIdFile({ cidfile }: RunFlagValues, id: string): Promise<void> {
  if (cidfile === undefined) return;
  try {
    await writeFile(cidfile, id, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    throw usageError(
      `--cidfile ${cidfile} cannot be made: ${systemMeaning(error)}`,
      'name a file that is not there',
    );
  }
}

/** What never ran is of no use to anybody: nothing of it stays. */
export async function discard(
  containers: Containers,
  { directory, id, name }: { readonly directory: string; readonly id: string; readonly name: string },
): Promise<void> {
  await removeDirectory(directory);
  await containers.release(id, name);
}

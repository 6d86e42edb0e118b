import { join } from 'node:path';
import type { OnEvent } from '@ocijs/image';
import type { LaunchBundle } from '@ocijs/runtime';
import { Args } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { type Containers, type KnownContainer, openContainers } from '../containers/collection.ts';
import { checkedName, randomName } from '../containers/names.ts';
import { writeRecord } from '../containers/record.ts';
import { removeDirectory } from '../containers/remove.ts';
import { snapshotsDirectory } from '../containers/snapshots.ts';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { leaseImage } from '../image-lease.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import { runAttached } from '../run/attached.ts';
import { bundleCommand } from '../run/bundle.ts';
import { checkRunFlags, refuseBundleFlags } from '../run/check.ts';
import { runDetached, runSupervised } from '../run/detached.ts';
import { readEnvironment } from '../run/environment.ts';
import { type RunFlagValues, runFlags } from '../run/flags.ts';
import { newContainerId, prepareBundle } from '../run/prepare.ts';
import { foregroundStreams, requireTerminal } from '../run/terminal.ts';

type Values = GlobalFlagValues &
  RegistryFlagValues &
  RunFlagValues & {
    readonly pull: string;
    readonly platform?: string | undefined;
    readonly bundle?: string | undefined;
  };

const unpackEvents: ReadonlySet<string> = new Set(['unpack-start', 'layer-progress', 'layer-done']);

export default class Run extends BaseCommand {
  static override summary = 'Run a command in a new container';
  static override description =
    `The image is pulled when it is missing; its layers are unpacked once, for all containers. Flags end at the image name: what follows belongs to the command. Exits with the command's code, 128+n after signal n, 125 when the container could not be started, 126 and 127 when the command cannot be executed or is missing.`;
  static override usage = ['run [FLAGS] IMAGE [COMMAND] [ARG...]', 'run [FLAGS] --bundle DIR'];
  static override examples = [
    '<%= config.bin %> run --rm -it debian:bookworm bash',
    '<%= config.bin %> run --rm -v /srv/data:/data:ro --memory 512m alpine ls /data',
  ];
  static override strict = false;
  static override args = {
    image: Args.string({
      ignoreStdin: true,
      description: 'NAME, docker://NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE or dir:DIR',
    }),
  };
  static override flags = { ...runFlags, ...platformFlags, ...registryFlags };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Run);
    const [image, ...command] = argv.map(String);
    requireTerminal(flags);
    if ((image === undefined) === (flags.bundle === undefined)) {
      throw usageError(
        'run needs either an image or --bundle DIR',
        'oci run [FLAGS] IMAGE [COMMAND] [ARG...]',
      );
    }
    if (flags.bundle !== undefined) refuseBundleFlags(this.argv);
    checkRunFlags(flags);
    const name = flags.name === undefined ? randomName() : checkedName(flags.name);
    const variables = await readEnvironment(flags, environment);

    const { directory: storeDirectory } = await this.openStore(flags);
    const containers = openContainers(storeDirectory);
    const made =
      flags.bundle === undefined
        ? await this.#fromImage(flags, {
            containers,
            storeDirectory,
            name,
            image: image ?? '',
            command,
            variables,
          })
        : await this.#fromBundle(flags, { containers, name, directory: flags.bundle });
    this.endProgress();
    await this.#launch(flags, { ...made, containers, storeDirectory });
  }

  async #fromImage(
    flags: Values,
    wanted: {
      readonly containers: Containers;
      readonly storeDirectory: string;
      readonly name: string;
      readonly image: string;
      readonly command: readonly string[];
      readonly variables: readonly string[];
    },
  ): Promise<Made> {
    const { signal } = this;
    const show = this.progress(flags);
    // In a log, what unpacking says would only stand between the lines of the command.
    const isQuiet = flags.progress === 'auto' && !process.stderr.isTTY;
    const onEvent: OnEvent = (event) => {
      if (!isQuiet || !unpackEvents.has(event.type)) show(event);
    };
    const name = parseImageName(wanted.image);
    const openStore = () => this.openStore(flags);
    const image = await openImage(name, {
      openStore,
      pull: flags.pull as PullPolicy,
      remote: 'pull',
      registry: registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      signal,
      onEvent,
    });
    await using _lease = await leaseImage(image, { name, openStore, purpose: 'run', signal });
    const id = newContainerId();
    const directory = await wanted.containers.claim(id, wanted.name);
    try {
      const { command, variables } = wanted;
      const stopSignal = image.config.config?.StopSignal;
      const record = {
        id,
        name: wanted.name,
        image: { name: image.name, digest: image.descriptor.digest },
        command,
        created: new Date().toISOString(),
        root: await this.stateRoot(flags),
        remove: flags.rm,
        bundle: join(directory, 'bundle'),
        ...(stopSignal === undefined ? {} : { stopSignal }),
      };
      // From now on there may be a mount: a killed run leaves something that can be seen and removed.
      await writeRecord(directory, { ...record, preparedBy: process.pid });
      const bundle = await prepareBundle(image, {
        directory,
        snapshots: snapshotsDirectory(wanted.storeDirectory),
        id,
        command,
        environment: variables,
        flags,
        signal,
        onEvent,
      });
      const ready = { ...record, command: bundle.config.process?.args ?? [] };
      await writeRecord(directory, ready);
      return { container: { directory, record: ready }, bundle };
    } catch (error) {
      await discard(wanted.containers, { directory, id, name: wanted.name });
      throw error;
    }
  }

  async #fromBundle(
    flags: Values,
    wanted: { readonly containers: Containers; readonly name: string; readonly directory: string },
  ): Promise<Made> {
    const { bundle, command } = await bundleCommand(wanted.directory);
    const id = newContainerId();
    const directory = await wanted.containers.claim(id, wanted.name);
    const record = {
      id,
      name: wanted.name,
      image: { name: '', digest: '' },
      command,
      created: new Date().toISOString(),
      root: await this.stateRoot(flags),
      remove: flags.rm,
      bundle,
    };
    await writeRecord(directory, record);
    return { container: { directory, record }, bundle };
  }

  async #launch(
    flags: Values,
    made: Made & { readonly containers: Containers; readonly storeDirectory: string },
  ): Promise<void> {
    const { container, containers, bundle, storeDirectory } = made;
    const { id, name } = container.record;
    try {
      if (flags.detach) {
        if (flags.rm) await runSupervised(container, { storeDirectory });
        else await runDetached(container, bundle);
        return await this.print(flags, { json: { id, name }, text: id });
      }
      process.exitCode = await runAttached({
        containers,
        container,
        bundle,
        launch: {
          stdio: foregroundStreams(flags),
          signal: this.signal,
          onEvent: this.progress(flags),
        },
        onStarted: () => this.releaseSignals(),
      });
    } catch (error) {
      // What never ran is of no use to anybody: nothing of it stays.
      await discard(containers, { directory: container.directory, id, name });
      throw error;
    }
  }
}

interface Made {
  readonly container: KnownContainer;
  readonly bundle: LaunchBundle | string;
}

async function discard(
  containers: Containers,
  { directory, id, name }: { readonly directory: string; readonly id: string; readonly name: string },
): Promise<void> {
  await removeDirectory(directory);
  await containers.release(id, name);
}

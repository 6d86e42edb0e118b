import type { OnEvent } from '@ocijs/image';
import { Args } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { type Containers, openContainers } from '../containers/collection.ts';
import { removeForgotten } from '../containers/forgotten.ts';
import { readLabels } from '../containers/labels.ts';
import { checkedName, randomName } from '../containers/names.ts';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { leaseImage } from '../image-lease.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import { releaseLeftNetworks } from '../network/leftovers.ts';
import { runAttached } from '../run/attached.ts';
import { checkEmulatedOwners, checkRunFlags, refuseBundleFlags } from '../run/check.ts';
import { afterCut } from '../run/cut.ts';
import { needsSupervisor, runDetached, runSupervised } from '../run/detached.ts';
import { readEnvironment } from '../run/environment.ts';
import { type RunFlagValues, runFlags } from '../run/flags.ts';
import {
  discard,
  type MadeContainer,
  makeFromBundle,
  makeFromImage,
  type NewContainer,
} from '../run/make.ts';
import { chooseNetwork } from '../run/network.ts';
import { checkOtherRuntime, runByOther } from '../run/other-runtime.ts';
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
    '<%= config.bin %> run -d --name web -p 8080:80 nginx',
    '<%= config.bin %> run --rm --runtime runc --network none alpine true',
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
    const { flags } = await this.parse(Run);
    const [image, ...command] = afterCut(this.argv);
    requireTerminal(flags);
    if ((image === undefined) === (flags.bundle === undefined)) {
      throw usageError(
        'run needs either an image or --bundle DIR',
        'oci run [FLAGS] IMAGE [COMMAND] [ARG...]',
      );
    }
    if (flags.bundle !== undefined) refuseBundleFlags(this.argv);
    checkRunFlags(flags);
    checkEmulatedOwners(flags);
    checkOtherRuntime(flags);
    const name = flags.name === undefined ? randomName() : checkedName(flags.name);
    const variables = await readEnvironment(flags, environment);
    const labels = await readLabels(flags);

    const { directory: storeDirectory } = await this.openStore(flags);
    const containers = openContainers(storeDirectory);
    const root = await this.stateRoot(flags);
    await releaseLeftNetworks(root, this.progress(flags));
    // The name may be that of one which should be gone.
    if (flags.name !== undefined) await removeForgotten(containers, this.progress(flags));
    const common = { containers, name, flags, labels, root };
    const made =
      flags.bundle === undefined
        ? await this.#fromImage(image ?? '', { ...common, flags, storeDirectory, command, variables })
        : await makeFromBundle(flags.bundle, common);
    this.endProgress();
    await this.#launch(flags, { ...made, containers, storeDirectory });
  }

  async #fromImage(
    typed: string,
    options: NewContainer & {
      readonly flags: Values;
      readonly storeDirectory: string;
      readonly command: readonly string[];
      readonly variables: readonly string[];
    },
  ): Promise<MadeContainer> {
    const { signal } = this;
    const { flags, storeDirectory } = options;
    const network = await chooseNetwork(flags, { storeDirectory });
    checkOtherRuntime(flags, network);
    if (network.news !== undefined) this.remark(flags, network.news);
    const show = this.progress(flags);
    // In a log, what unpacking says would only stand between the lines of the command.
    const isQuiet = flags.progress === 'auto' && !process.stderr.isTTY;
    const onEvent: OnEvent = (event) => {
      if (!isQuiet || !unpackEvents.has(event.type)) show(event);
    };
    const name = parseImageName(typed);
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
    return await makeFromImage(image, { ...options, imageName: name, typed, network, signal, onEvent });
  }

  async #launch(
    flags: Values,
    made: MadeContainer & { readonly containers: Containers; readonly storeDirectory: string },
  ): Promise<void> {
    const { container, containers, bundle, storeDirectory } = made;
    const { id, name } = container.record;
    using _care = made.care;
    using prepared = new DisposableStack();
    prepared.use(made.prepared);
    const onStarted = (): readonly NodeJS.Signals[] => {
      prepared.dispose();
      return this.releaseSignals();
    };
    try {
      if (flags.detach) {
        if (needsSupervisor(container)) await runSupervised(container, { storeDirectory });
        else await runDetached(container, bundle);
        return await this.print(flags, { json: { id, name }, text: id });
      }
      if (flags.runtime !== undefined) {
        const { signal } = this;
        const stdio = foregroundStreams(flags);
        process.exitCode = await runByOther(flags.runtime, {
          ...{ containers, container, bundle, stdio, signal, onStarted },
        });
        return;
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
        onStarting: () => this.holdSignals(),
        onStarted,
      });
    } catch (error) {
      await discard(containers, { directory: container.directory, id, name });
      throw error;
    }
  }
}

import type { LaunchBundle } from '@ocijs/runtime';
import type { Containers, KnownContainer } from '../containers/collection.ts';
import { usageError } from '../errors.ts';
import { isConnected } from '../network/choice.ts';
import { recordEnd } from './attached.ts';
import type { RunFlagValues } from './flags.ts';
import type { ChosenNetwork } from './network.ts';

/** Flags that need this runtime, which looks after its containers, are refused. Throws ERR_OCI_USAGE. */
export function checkOtherRuntime(flags: RunFlagValues, network?: ChosenNetwork): void {
  if (flags.runtime === undefined) return;
  if (flags.detach) {
    throw usageError(
      '-d does not go with --runtime',
      'the container runs in the foreground, as a child of oci',
    );
  }
  if (network !== undefined && isConnected(network.choice)) {
    throw usageError(
      '--runtime needs --network host or --network none',
      'other runtimes do not connect containers to networks',
    );
  }
}

const forwarded = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** What a terminal sends, it sends to the runtime as well. */
const ofTerminals: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);

function forwardTo(kill: (signal: NodeJS.Signals) => void): Disposable {
  const onSignal = (name: NodeJS.Signals): void => {
    if (!process.stdin.isTTY || !ofTerminals.has(name)) kill(name);
  };
  for (const name of forwarded) process.on(name, onSignal);
  return {
    [Symbol.dispose]() {
      for (const name of forwarded) process.removeListener(name, onSignal);
    },
  };
}

/** Runs a container by another runtime and resolves with the exit code to end with. */
export async function runByOther(
  runtime: string,
  options: {
    readonly containers: Containers;
    readonly container: KnownContainer;
    readonly bundle: LaunchBundle | string;
    readonly stdio: readonly ['inherit' | 'ignore', 'inherit', 'inherit'];
    readonly signal: AbortSignal;
    /** Called once the runtime runs, when signals begin to be forwarded to it. */
    readonly onStarted: () => void;
  },
): Promise<number> {
  const { containers, container, bundle, stdio, signal } = options;
  const { runWith } = await import('@ocijs/runtime');
  const directory = typeof bundle === 'string' ? bundle : bundle.directory;
  using cleanup = new DisposableStack();
  const end = await runWith(runtime, directory, {
    id: container.record.id,
    stdio,
    signal,
    onStarted: (kill) => {
      cleanup.use(forwardTo(kill));
      // Not before: a signal on its way while nobody listens is lost.
      options.onStarted();
    },
  });
  await recordEnd(containers, container, { code: end.exitCode, signal: end.signal });
  return end.exitCode;
}

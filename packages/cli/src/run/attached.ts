import type { Container, ExitStatus, LaunchBundle, LaunchOptions } from '@ocijs/runtime';
import type { Containers, KnownContainer } from '../containers/collection.ts';
import { leaveExitNote } from '../containers/exit-note.ts';
import { writeRecord } from '../containers/record.ts';
import { releaseDirectory, removeDirectory } from '../containers/remove.ts';
import { exitCodeOfSignal } from '../exit-codes.ts';
import { startHealthChecks } from '../health/checks.ts';
import { networkRequest } from './network.ts';
import { forwardSignals } from './signals.ts';

/** How to run a container until its end. */
export interface AttachedOptions {
  readonly containers: Containers;
  readonly container: KnownContainer;
  readonly bundle: LaunchBundle | string;
  readonly launch: Pick<LaunchOptions, 'stdio' | 'signal' | 'onEvent' | 'detach'>;
  /** Called before the container is started. */
  readonly onStarting?: () => void;
  /** Called once the container runs, and signals are forwarded to it; returns those that came meanwhile. */
  readonly onStarted: () => readonly NodeJS.Signals[];
}

/** Runs a container in the foreground and resolves with the exit code to end with. */
export async function runAttached(options: AttachedOptions): Promise<number> {
  const { launch } = await import('@ocijs/runtime');
  const { container, containers, bundle } = options;
  const { record } = container;
  const network = networkRequest(container);
  options.onStarting?.();
  await using running = await launch(bundle, {
    ...options.launch,
    id: record.id,
    root: record.root,
    ...(network && { network }),
    ...(record.emulatesOwners && { emulateOwners: true }),
  });
  using forwarding = forwardSignals(running, { takeOver: options.onStarted });
  const { exitCode, signal } = await endOf(running, container);
  const enforced = forwarding.enforced();
  const code = enforced !== undefined && signal === 'SIGKILL' ? exitCodeOfSignal(enforced) : exitCode;
  await running.delete({ force: true });
  await recordEnd(containers, container, { code, signal });
  return code;
}

/** Keeps how a container ended, or removes it if that was asked for. */
export async function recordEnd(
  containers: Containers,
  { record, directory }: KnownContainer,
  { code, signal }: { readonly code: number; readonly signal?: string | undefined },
): Promise<void> {
  if (record.remove) {
    await leaveExitNote(directory, code);
    await removeDirectory(directory);
    await containers.release(record.id, record.name);
  } else {
    await releaseDirectory(directory);
    const finished = new Date().toISOString();
    const ended = { code, finished, ...(signal === undefined ? {} : { signal }) };
    await writeRecord(directory, { ...record, exit: ended });
  }
}

/** Waits for the end of a container, and checks meanwhile how it is. */
async function endOf(running: Container, { record, directory }: KnownContainer): Promise<ExitStatus> {
  using _wake = stayAwake();
  if (record.health === undefined) return await running.wait();
  await using _checks = await startHealthChecks(running, { config: record.health, directory });
  return await running.wait();
}

/** A container in the background keeps no program running, not even one that waits for it. */
function stayAwake(): Disposable {
  const timer = setInterval(() => undefined, 2 ** 30);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

import type { ResolvedUser } from '@ocijs/bundle';
import type { ExecOptions } from '@ocijs/runtime';
import type { KnownContainer } from '../containers/collection.ts';
import { requireRunning } from '../containers/running.ts';
import { CliError } from '../errors.ts';
import { exitCodeOfSignal } from '../exit-codes.ts';
import { capabilitySet, grantableCapabilities } from './security.ts';
import { forwardSignals } from './signals.ts';
import { foregroundStreams, terminalSize } from './terminal.ts';

/** Parsed flags of `exec` that say how the process runs. */
export interface ExecFlagValues {
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly privileged: boolean;
}

/** A further process to run in a container. */
export interface ExecRequest {
  readonly flags: ExecFlagValues;
  /** The command and its arguments. */
  readonly command: readonly string[];
  /** The variables of `--env` and `--env-file`. */
  readonly variables: readonly string[];
  readonly signal: AbortSignal;
}

/** Throws ERR_OCI_CONTAINER_NOT_RUNNING, for a paused container with the way out. */
async function requireUnpaused(container: KnownContainer): Promise<void> {
  const { state } = await requireRunning(container);
  if (state !== 'paused') return;
  const { name } = container.record;
  throw new CliError('ERR_OCI_CONTAINER_NOT_RUNNING', `container ${name} is paused`, {
    hint: `let it go on with \`oci unpause ${name}\``,
  });
}

async function execOptions(container: KnownContainer, request: ExecRequest): Promise<ExecOptions> {
  const { flags, command, variables, signal } = request;
  const { tty, workdir, privileged } = flags;
  const known = flags.user === undefined ? undefined : await userOfOwnOverlay(container, flags.user);
  const user = known === undefined ? flags.user : undefined;
  const home = known?.home === undefined ? [] : [`HOME=${known.home}`];
  const process = {
    ...(known && { user: { uid: known.uid, gid: known.gid, additionalGids: [...known.additionalGids] } }),
    ...(privileged ? { capabilities: await allGrantable() } : {}),
  };
  return {
    root: container.record.root,
    args: command,
    env: [...home, ...variables],
    terminal: tty && (terminalSize() ?? true),
    ...(workdir === undefined ? {} : { cwd: workdir }),
    ...(user === undefined ? {} : { user }),
    process,
    signal,
  };
}

/** A user of a container whose root file system only the container sees; undefined for another container. */
async function userOfOwnOverlay({ record }: KnownContainer, user: string): Promise<ResolvedUser | undefined> {
  const { lookupUser, readOwnOverlay, readRootfsRecord } = await import('@ocijs/bundle');
  if ((await readRootfsRecord(record.bundle))?.kind !== 'own-overlay') return undefined;
  return lookupUser((path, limits) => readOwnOverlay(record.bundle, path, limits), user);
}

/** All capabilities, as Docker gives them: not inherited by what the process executes as another user. */
async function allGrantable() {
  const available = await grantableCapabilities({ rootless: process.geteuid?.() !== 0 });
  const all = capabilitySet({ privileged: true }, { defaults: [], available });
  return { bounding: [...all], permitted: [...all], effective: [...all] };
}

/** Who gets signals while a process is started, and then. */
export interface SignalHandover {
  /** Called before the process is started. */
  readonly onStarting: () => void;
  /** Called when our signals are forwarded to it; returns those that came meanwhile. */
  readonly onStarted: () => readonly NodeJS.Signals[];
}

/** Runs a process in a container on our own streams and resolves with the exit code to end with. */
export async function execAttached(
  container: KnownContainer,
  { onStarting, onStarted, ...request }: ExecRequest & SignalHandover,
): Promise<number> {
  await requireUnpaused(container);
  const { exec } = await import('@ocijs/runtime');
  const options = await execOptions(container, request);
  onStarting();
  await using running = await exec(container.record.id, {
    ...options,
    stdio: foregroundStreams(request.flags),
  });
  const kill = async (name: string | number): Promise<void> => void running.kill(name);
  using forwarding = forwardSignals({ pid: running.pid, kill }, { takeOver: onStarted });
  const { exitCode, signal } = await running.wait();
  const enforced = forwarding.enforced();
  return enforced !== undefined && signal === 'SIGKILL' ? exitCodeOfSignal(enforced) : exitCode;
}

/** Starts a process in a container that goes on without us; its output goes nowhere. Resolves with its id on the host. */
export async function execDetached(container: KnownContainer, request: ExecRequest): Promise<number> {
  await requireUnpaused(container);
  const { exec } = await import('@ocijs/runtime');
  const options = await execOptions(container, request);
  await using started = await exec(container.record.id, { ...options, stdio: 'ignore', detach: true });
  return started.pid;
}

import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Container } from '@ocijs/runtime';
import { codeOf } from '../exit-codes.ts';

/** Signals that reach us and are meant for the container. */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Forwarding under way; disposing ends it. */
export interface Forwarding extends Disposable {
  /** The signal that we carried out ourselves, because the kernel would not have. */
  enforced(): string | undefined;
}

/**
 * Passes our signals on to the container's first process. The kernel drops a signal for process 1 that it has no handler
 * for, so a plain `sleep` would survive Ctrl-C for ever: such a process gets SIGKILL in its place. A second SIGINT or SIGTERM
 * is always SIGKILL.
 *
 * `takeOver` ends what listened before, and returns the signals that came meanwhile. It is called when ours are heard already: a
 * signal on its way while nobody listens is lost.
 */
export function forwardSignals(
  container: Pick<Container, 'pid' | 'kill'>,
  { takeOver }: { readonly takeOver: () => readonly NodeJS.Signals[] },
): Forwarding {
  let enforced: string | undefined;
  let requests = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGINT' || name === 'SIGTERM') requests++;
    void deliver(container, { name, force: requests > 1 }).then((isEnforced) => {
      if (isEnforced) enforced = name;
    });
  };
  for (const name of forwarded) process.on(name, onSignal);
  for (const name of takeOver()) onSignal(name);
  return {
    enforced: () => enforced,
    [Symbol.dispose]() {
      for (const name of forwarded) process.removeListener(name, onSignal);
    },
  };
}

async function deliver(
  container: Pick<Container, 'pid' | 'kill'>,
  { name, force }: { readonly name: NodeJS.Signals; readonly force: boolean },
): Promise<boolean> {
  const isEnforced = force || (await wouldBeDropped(container.pid, constants.signals[name]));
  try {
    await container.kill(isEnforced ? 'SIGKILL' : name);
  } catch (error) {
    // The process may have ended by itself meanwhile, which is what the signal was for.
    if (codeOf(error) === undefined) throw error;
  }
  return isEnforced;
}

/**
 * True when the kernel would keep a process from a signal: the first process of a pid namespace only gets signals from
 * outside that it handles, ignores or blocks.
 */
export async function wouldBeDropped(pid: number, signal: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  return status !== undefined && isFirstOfNamespace(status) && hasDefaultAction(status, signal);
}

/** True for process 1 of a pid namespace below ours, by its `/proc/PID/status`. */
export function isFirstOfNamespace(status: string): boolean {
  return /^NSpid:(?:\s+\d+)+\s+1$/m.test(status);
}

/** True when a process, by its `/proc/PID/status`, neither handles nor ignores nor blocks (to ask for it) a signal. */
export function hasDefaultAction(status: string, signal: number): boolean {
  const bit = 1n << BigInt(signal - 1);
  const mask = (field: string): bigint =>
    BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return ((mask('SigCgt') | mask('SigIgn') | mask('SigBlk')) & bit) === 0n;
}

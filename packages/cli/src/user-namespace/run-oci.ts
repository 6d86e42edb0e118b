import { fileURLToPath } from 'node:url';
import type { OnEvent } from '@ocijs/image';
import { CliError, type CliErrorCode } from '../errors.ts';
import { exitCodeOfSignal } from '../exit-codes.ts';
import type { FailureDocument } from '../render/failure.ts';
import type { RootlessPlan } from '../run/rootless.ts';
import { spawnInUserNamespace } from './spawn.ts';

/** What a command in a user namespace tells the one that has started it. */
export type NamespaceReport =
  | { readonly event: Parameters<OnEvent>[0] }
  | { readonly failure: FailureDocument }
  | { readonly result: unknown };

/** How {@link runOci} runs a command. */
export interface RunOciOptions {
  readonly plan: Pick<RootlessPlan, 'options'>;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Runs a command of ours that reports in a user namespace, and resolves with its result. It ends with this process, however
 * that ends. Rejects with the command's own failure, and with what `spawnInUserNamespace` throws.
 */
export async function runOci(
  args: readonly string[],
  { plan, env, signal, onEvent }: RunOciOptions,
): Promise<unknown> {
  signal.throwIfAborted();
  const program = fileURLToPath(new URL('../../bin/oci.js', import.meta.url));
  const { child, ended } = await spawnInUserNamespace([process.execPath, '--', program, ...args], {
    plan,
    env,
    stdio: ['ignore', 'ignore', 'ignore'],
    ipc: true,
  });
  const onAbort = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', onAbort, { once: true });
  let last: Exclude<NamespaceReport, { readonly event: unknown }> | undefined;
  child.on('message', (message) => {
    const report = message as NamespaceReport;
    if ('event' in report) onEvent?.(report.event);
    else last = report;
  });
  const [code, killedBy] = await ended.finally(() => signal.removeEventListener('abort', onAbort));
  signal.throwIfAborted();
  if (last !== undefined && 'result' in last) return last.result;
  if (last !== undefined) {
    const { code: errorCode, message, hint } = last.failure;
    throw new CliError(errorCode as CliErrorCode, message, hint === undefined ? {} : { hint });
  }
  const status = killedBy === null ? code : exitCodeOfSignal(killedBy);
  throw new CliError('ERR_OCI_INTERNAL', `the command in the user namespace ended with ${status}`);
}

/** Tells whoever has started this command; nothing when nobody has. */
export function report(message: NamespaceReport): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.connected || process.send === undefined) return resolve();
    process.send(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LaunchBundle } from '@ocijs/runtime';
import type { KnownContainer } from '../containers/collection.ts';
import { CliError, type CliErrorCode } from '../errors.ts';
import type { FailureDocument } from '../render/failure.ts';
import { networkRequest } from './network.ts';

/** What the supervisor of a container tells the process that started it. */
export type SupervisorReport = { readonly started: true } | { readonly failure: FailureDocument };

/** Where the output of a container in the background goes. */
export function logFileOf({ directory }: KnownContainer): string {
  return join(directory, 'output.log');
}

/** Starts a container that goes on without us; the runtime's monitor records its end. */
export async function runDetached(container: KnownContainer, bundle: LaunchBundle | string): Promise<void> {
  const { launch } = await import('@ocijs/runtime');
  const { id, root } = container.record;
  await launch(bundle, { id, root, detach: { logFile: logFileOf(container) } });
}

/** True for a container that needs somebody to wait for its end, or to look after it meanwhile. */
export function needsSupervisor(container: KnownContainer): boolean {
  const { remove, health, emulatesOwners = false } = container.record;
  return remove || health !== undefined || emulatesOwners || networkRequest(container) !== undefined;
}

/**
 * Starts a container that goes on without us and is looked after: disconnected or removed at its end, or checked. A second
 * `oci` in the background does that. The container does not depend on it, unless its
 * owners are emulated: it goes on when that one is killed. Resolves once the container runs; rejects with what kept it from running.
 */
export async function runSupervised(
  { record }: KnownContainer,
  { storeDirectory }: { readonly storeDirectory: string },
): Promise<void> {
  const program = fileURLToPath(new URL('../../bin/oci.js', import.meta.url));
  const child = spawn(process.execPath, [program, 'supervise', record.id, '--store', storeDirectory], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    cwd: '/',
  });
  const report = await new Promise<SupervisorReport>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', (message) => resolve(message as SupervisorReport));
    child.once('exit', (code) =>
      reject(new CliError('ERR_OCI_CONTAINER_INVALID', `supervisor ended with ${code}`)),
    );
  });
  if ('failure' in report) {
    const { code, message, hint } = report.failure;
    throw new CliError(code as CliErrorCode, message, hint === undefined ? {} : { hint });
  }
  child.disconnect();
  child.unref();
}

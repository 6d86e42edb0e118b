import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from '../env.ts';
import { CliError } from '../errors.ts';
import { codeOf, exitCodeOfSignal } from '../exit-codes.ts';
import type { Containers, KnownContainer } from './collection.ts';
import { leaveExitNote } from './exit-note.ts';
import { isActive, statusOf } from './status.ts';

/**
 * Removes a container: its state, its root file system and its name. A running one is refused, or with `force`
 * killed. Throws ERR_OCI_CONTAINER_RUNNING and ERR_OCI_CONTAINER_NOT_REMOVED.
 */
export async function removeContainer(
  containers: Containers,
  { container, force }: { readonly container: KnownContainer; readonly force: boolean },
): Promise<void> {
  const { record, directory } = container;
  const status = await statusOf(record);
  if (isActive(status.state) && !force) {
    throw new CliError('ERR_OCI_CONTAINER_RUNNING', `container ${record.name} is ${status.state}`, {
      hint: `end it first, or use \`oci rm --force ${record.name}\``,
    });
  }
  if (status.isKnownToRuntime) {
    const { remove } = await import('@ocijs/runtime');
    await remove(record.id, { root: record.root, force: true });
  }
  await leaveExitNote(directory, status.exitCode ?? exitCodeOfSignal('SIGKILL'));
  await removeDirectory(directory);
  await containers.release(record.id, record.name);
}

/** Unmounts a container's root file system; its files stay. */
export async function releaseDirectory(directory: string): Promise<void> {
  const { releaseRootfs } = await import('@ocijs/bundle');
  await releaseRootfs(join(directory, 'bundle'));
}

/**
 * Removes a container's directory with everything in it; the records go last, so that a half-removed one is still
 * listed and unmounted.
 */
export async function removeDirectory(directory: string): Promise<void> {
  await releaseDirectory(directory);
  const parts = ['bundle/rootfs', 'bundle', 'hosts', 'hostname', 'output.log'];
  for (const part of parts) await removeTree(join(directory, part));
  await rm(directory, { recursive: true, force: true });
}

async function removeTree(path: string): Promise<void> {
  const { removeDirectoryTree } = await import('@ocijs/bundle');
  try {
    await removeDirectoryTree(path);
  } catch (error) {
    const code = codeOf(error);
    const isDenied = code === 'EACCES' || code === 'EPERM' || code === 'ENOTEMPTY';
    if (!isDenied || process.geteuid?.() === 0) throw error;
    await removeAsContainerRoot(path, error);
  }
}

/** Files that a container's other users made belong to subordinate ids, which only a user namespace may remove. */
async function removeAsContainerRoot(path: string, cause: unknown): Promise<void> {
  const { planRootless } = await import('../run/rootless.ts');
  const { spawnInUserNamespace } = await import('../user-namespace/spawn.ts');
  const plan = await planRootless(environment['PATH'] ?? '', 'host');
  const stdio = ['ignore', 'ignore', 'ignore'] as const;
  const words = ['rm', '-rf', '--one-file-system', '--', path];
  const { ended } = await spawnInUserNamespace(words, { plan, stdio });
  const [code] = await ended;
  if (code === 0) return;
  throw new CliError('ERR_OCI_CONTAINER_NOT_REMOVED', `${path} cannot be removed completely`, {
    cause,
    hint: 'it holds files of ids that are yours no more; remove it as root',
  });
}

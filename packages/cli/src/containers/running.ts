import { CliError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import type { Containers, KnownContainer } from './collection.ts';
import { type ContainerStatus, formatStatus, statusOf } from './status.ts';

/** The status of a container that has a process. Throws ERR_OCI_CONTAINER_NOT_RUNNING for another one. */
export async function requireRunning({ record }: KnownContainer): Promise<ContainerStatus> {
  const status = await statusOf(record);
  if (status.state === 'running' || status.state === 'paused' || status.state === 'created') return status;
  throw notRunning(record.name, formatStatus(status));
}

/** Carries out what needs a running container; that it ended meanwhile is said in the same words. */
export async function whileRunning(
  { record }: KnownContainer,
  action: () => void | Promise<void>,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ERR_OCI_CONTAINER_NOT_RUNNING' && code !== 'ERR_OCI_CONTAINER_NOT_FOUND') throw error;
    throw notRunning(record.name, formatStatus(await statusOf(record)));
  }
}

function notRunning(name: string, status: string): CliError {
  return new CliError('ERR_OCI_CONTAINER_NOT_RUNNING', `container ${name} is not running: ${status}`, {
    hint: 'see `oci ps`; an ended container is not started again: `oci run` makes a new one',
  });
}

/** Finds all containers that were typed before anything happens to one of them. Throws ERR_OCI_CONTAINER_NOT_FOUND. */
export async function findAll(
  containers: Containers,
  typed: readonly unknown[],
): Promise<readonly KnownContainer[]> {
  const found = new Map<string, KnownContainer>();
  for (const text of typed) {
    const container = await containers.find(String(text));
    found.set(container.record.id, container);
  }
  return [...found.values()];
}

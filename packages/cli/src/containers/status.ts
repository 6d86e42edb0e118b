import { codeOf } from '../exit-codes.ts';
import type { ContainerRecord } from './record.ts';

/** Where a container is in its life; `dead` means that its end was not recorded, as after a crash of the host. */
export type ContainerState = 'creating' | 'created' | 'running' | 'paused' | 'exited' | 'dead';

/** The state of a container, as far as it is known. */
export interface ContainerStatus {
  readonly state: ContainerState;
  /** The first process, when there is one. */
  readonly pid?: number;
  readonly exitCode?: number;
  /** True when the runtime keeps something of it, which removal has to clean up. */
  readonly isKnownToRuntime: boolean;
}

/** Asks the runtime, and for a container that has ended, the record or what the runtime's monitor wrote. */
export async function statusOf(record: ContainerRecord): Promise<ContainerStatus> {
  const { exitStatus, state } = await import('@ocijs/runtime');
  let isKnownToRuntime = false;
  try {
    const { status, pid } = state(record.id, { root: record.root });
    if (status !== 'stopped') return { state: status, pid, isKnownToRuntime: true };
    const exitCode = record.exit?.code ?? exitStatus(record.id, { root: record.root })?.exitCode;
    return exitCode === undefined
      ? { state: 'dead', isKnownToRuntime: true }
      : { state: 'exited', exitCode, isKnownToRuntime: true };
  } catch (error) {
    // There is a moment after the beginning and before the end in which the runtime knows only that it is there.
    isKnownToRuntime = codeOf(error) === 'ERR_OCI_STATE_INVALID';
    if (!isKnownToRuntime && codeOf(error) !== 'ERR_OCI_CONTAINER_NOT_FOUND') throw error;
  }
  const exitCode = record.exit?.code;
  if (exitCode !== undefined) return { state: 'exited', exitCode, isKnownToRuntime };
  const isPreparing = record.preparedBy !== undefined && isRunning(record.preparedBy);
  return { state: isPreparing ? 'creating' : 'dead', isKnownToRuntime };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** True for a container with a process. */
export function isActive(state: ContainerState): boolean {
  return state !== 'exited' && state !== 'dead';
}

/** `running`, `exited (0)`. */
export function formatStatus({ state, exitCode }: ContainerStatus): string {
  return exitCode === undefined ? state : `${state} (${exitCode})`;
}

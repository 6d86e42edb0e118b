import type { OnEvent } from '@ocijs/image';
import { defaultStateRoot } from '../env.ts';
import { RuntimeError } from '../errors.ts';
import type { ContainerRecord } from '../state/record.ts';
import { stateOf } from '../state/status.ts';
import { readRecord } from '../state/store.ts';
import type { HookState } from './hooks.ts';

/** What every operation on a container takes. */
export interface LifecycleOptions {
  /** The directory with the state of all containers; see `defaultStateRoot`. */
  readonly root?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** The state directory of these options. */
export function stateRoot(options: LifecycleOptions): string {
  return options.root ?? defaultStateRoot();
}

/** The record of a container; one without a usable record can only be deleted. */
export function requireRecord(root: string, id: string): ContainerRecord {
  const record = readRecord(root, id);
  if (record !== undefined) return record;
  throw new RuntimeError('ERR_OCI_STATE_INVALID', `container ${id} has no usable state`, {
    actual: id,
    hint: 'Its creation was interrupted; delete it with --force.',
  });
}

/** What a container's hooks are told. */
export function hookState(root: string, record: ContainerRecord, status: string): HookState {
  const { ociVersion, id, bundle, annotations } = stateOf(root, record);
  const pid = status === 'stopped' ? undefined : record.init?.pid;
  return { ociVersion, id, status, bundle, ...(pid && { pid }), ...(annotations && { annotations }) };
}

/** Runs the hooks of a deleted container; what fails is only reported, because the container is gone. */
export async function runPoststopHooks(
  root: string,
  record: ContainerRecord,
  options: LifecycleOptions,
): Promise<void> {
  const { poststop = [] } = record.spec.hooks ?? {};
  if (poststop.length === 0) return;
  // Starting processes takes a third of the time that loading everything else takes, and most containers have no hooks.
  const { runHooks } = await import('./hooks.ts');
  for (const hook of poststop) {
    try {
      await runHooks([hook], { name: 'poststop', state: hookState(root, record, 'stopped') });
    } catch (error) {
      options.onEvent?.({ type: 'warning', code: 'ERR_OCI_HOOK_FAILED', message: (error as Error).message });
    }
  }
}

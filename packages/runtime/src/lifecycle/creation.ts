import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type CgroupRecord, destroyCgroup } from '../cgroup/index.ts';
import { RuntimeError } from '../errors.ts';
import type { InitProcess } from '../init/index.ts';
import { disconnectOrReport } from '../network/disconnect.ts';
import type { NetworkRequest } from '../network/types.ts';
import type { OwnerAgent } from '../owners/agent.ts';
import { waitForEnd } from '../process/signal.ts';
import { identify } from '../process/stat.ts';
import { createResctrl, type ResctrlPlan, removeResctrl } from '../resctrl/group.ts';
import type { ContainerRecord } from '../state/record.ts';
import {
  claimContainer,
  containerDirectory,
  removeContainer,
  writeFinished,
  writeInit,
  writeRecord,
} from '../state/store.ts';
import type { LoadedBundle } from './bundle.ts';
import { hookState, type LifecycleOptions, runPoststopHooks } from './context.ts';
import { killFirst } from './end.ts';
import type { ContainerGroup } from './group.ts';
import { runHooks } from './hooks.ts';
import { writePidFile } from './pid-file.ts';

/** What a creation does for its caller besides the container. */
export interface CreationOptions extends LifecycleOptions {
  /** Where the init's process id, in this pid namespace, is written. */
  readonly pidFile?: string | undefined;
  /** Stay in the caller's session keyring. */
  readonly noNewKeyring?: boolean | undefined;
  /** Keep how the init ended in the state directory. */
  readonly keepExit?: boolean;
  /** Connect the container's own network namespace, before its hooks run; `remove` undoes it. */
  readonly network?: NetworkRequest | undefined;
}

/** A container that waits to be started, with the process that will become its first. */
export interface PreparedContainer {
  readonly root: string;
  readonly record: ContainerRecord;
  readonly init: InitProcess;
  /** Answers the container's calls about owners; ends with the container. */
  readonly owners?: OwnerAgent | undefined;
}

function ownerName(): string {
  try {
    return userInfo().username;
  } catch {
    // The host knows no name for this user, as in a container of its own.
    return '';
  }
}

/** The record of a container of which nothing is there yet. */
export function firstRecord(
  id: string,
  bundle: LoadedBundle,
  options: CreationOptions & { readonly root: string; readonly cgroup: CgroupRecord | undefined },
): ContainerRecord {
  const creator = identify(process.pid);
  if (creator === undefined)
    throw new RuntimeError('ERR_OCI_STATE_INVALID', '/proc does not show this process');
  return {
    version: 1,
    id,
    bundle: bundle.directory,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    owner: ownerName(),
    creator,
    finished: false,
    ...(options.cgroup && { cgroup: options.cgroup }),
    ...(options.noNewKeyring && { noNewKeyring: true }),
    ...(options.keepExit && { exitFile: `${containerDirectory(options.root, id)}/exit.json` }),
    spec: bundle.spec,
  };
}

/** The state on disk and what hangs on it, growing step by step; undone as a whole when a step fails. */
export class Creation {
  readonly root: string;
  readonly options: CreationOptions;
  record: ContainerRecord;
  init: InitProcess | undefined;
  owners: OwnerAgent | undefined;

  constructor(record: ContainerRecord, options: CreationOptions & { readonly root: string }) {
    this.root = options.root;
    this.options = options;
    this.record = record;
    claimContainer(this.root, record);
  }

  update(change: Partial<ContainerRecord>): void {
    this.record = { ...this.record, ...change };
    writeRecord(this.root, this.record);
  }

  async makeCgroup(group: ContainerGroup): Promise<void> {
    const cgroup = await group.make?.();
    // What was planned is on the disk already.
    const isPlanned = JSON.stringify(cgroup) === JSON.stringify(this.record.cgroup);
    if (cgroup !== undefined && !isPlanned) this.update({ cgroup });
  }

  makeResctrl(plan: ResctrlPlan): void {
    this.update({ resctrl: plan.created });
    createResctrl(plan);
  }

  /** Called by the init when its namespaces are there, before it changes its root. */
  async onCreated(pid: number): Promise<void> {
    const init = identify(pid);
    if (init === undefined) {
      throw new RuntimeError(
        'ERR_OCI_INIT_FAILED',
        `the init ${pid} of container ${this.record.id} ended early`,
      );
    }
    this.record = { ...this.record, init };
    writeInit(this.root, this.record.id, init);
    const { network, signal } = this.options;
    if (network !== undefined) {
      const { connect } = await import('../network/connect.ts');
      await connect(this.root, this.record, { request: network, signal });
    }
    const { hooks } = this.record.spec;
    const state = hookState(this.root, this.record, 'created');
    await runHooks(hooks?.prestart, { name: 'prestart', state, signal: this.options.signal });
    await runHooks(hooks?.createRuntime, { name: 'createRuntime', state, signal: this.options.signal });
  }

  /** Takes over the process that the container is made of; the last thing that can fail. */
  async finish(init: InitProcess): Promise<PreparedContainer> {
    this.init = init;
    if (this.record.init?.pid !== init.pid) await this.onCreated(init.pid);
    this.record = { ...this.record, finished: true };
    writeFinished(this.root, this.record.id);
    if (this.options.pidFile !== undefined) writePidFile(this.options.pidFile, init.pid);
    this.options.signal?.throwIfAborted();
    const { owners } = this;
    if (owners !== undefined) {
      const end = (): void => void owners[Symbol.asyncDispose]();
      init.exited.then(end, end);
    }
    return { root: this.root, record: this.record, init, owners };
  }

  async undo(): Promise<void> {
    const { record, root, options } = this;
    await this.init?.[Symbol.asyncDispose]();
    await this.owners?.[Symbol.asyncDispose]();
    if (record.init !== undefined && killFirst(record)) await waitForEnd(record.init);
    await disconnectOrReport(root, record.id, options);
    if (record.cgroup !== undefined) await destroyCgroup(record.cgroup);
    removeResctrl(record.resctrl ?? []);
    if (options.pidFile !== undefined) rmSync(options.pidFile, { force: true });
    const removed = removeContainer(root, record.id);
    if (removed && record.init !== undefined) await runPoststopHooks(root, record, options);
  }
}

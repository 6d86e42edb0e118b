import type { Process, RuntimeSpec } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { type InitProcess, type StdioOption, startExec } from '../init/index.ts';
import { conflict } from '../plan/context.ts';
import { readFilter } from '../state/filter.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { reportCapabilities } from './capabilities.ts';
import { checkUser } from './check.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';
import { execCgroups } from './exec-cgroups.ts';
import { withHome } from './home.ts';
import { writePidFile } from './pid-file.ts';

/** Options of {@link prepareExec}. */
export interface PrepareExecOptions extends LifecycleOptions {
  /**
   * The process to run. What it leaves out of capabilities, limits, labels and scheduling is as in the container's own
   * process.
   */
  readonly process: Process;
  readonly stdio?: readonly [StdioOption, StdioOption, StdioOption] | undefined;
  readonly pidFile?: string | undefined;
  /** A unix socket that receives the master of the process's terminal. */
  readonly consoleSocket?: string | undefined;
  /** A unix socket that receives a pidfd of the process. */
  readonly pidfdSocket?: string | undefined;
  readonly preserveFds?: number | undefined;
  /** Groups below the container's, as `--cgroup` of runc names them. */
  readonly subgroups?: readonly string[] | undefined;
  /** Join a paused container; the process runs when the container is resumed. */
  readonly ignorePaused?: boolean | undefined;
  /** `detached`: the process outlives this one. `attached`: it ends with this one. */
  readonly lifetime: 'detached' | 'attached';
}

function refuse(record: ContainerRecord, reason: string, status: string): RuntimeError {
  return new RuntimeError('ERR_OCI_CONTAINER_STATE', reason, { actual: status, path: record.id });
}

function checkStatus(root: string, record: ContainerRecord, options: PrepareExecOptions): void {
  const hasMounts = record.spec.linux?.namespaces?.some(({ type }) => type === 'mount') ?? false;
  if (!hasMounts) throw refuse(record, 'cannot exec in a container without a mount namespace', 'running');
  const status = containerStatus(root, record);
  if (status === 'stopped') throw refuse(record, 'cannot exec in a stopped container', status);
  if (status === 'creating') {
    throw refuse(record, 'cannot exec in a container that is still being created', status);
  }
  if (status === 'paused' && !options.ignorePaused) {
    const reason = 'cannot exec in a paused container (use --ignore-paused to override)';
    throw refuse(record, reason, status);
  }
}

/** What a process does not say is as the container's own process has it. */
function completeProcess(given: Process, own: Process | undefined): Process {
  const { capabilities, rlimits, apparmorProfile, selinuxLabel, scheduler, ioPriority } = own ?? {};
  return {
    ...(capabilities && { capabilities }),
    ...(apparmorProfile && { apparmorProfile }),
    ...(selinuxLabel && { selinuxLabel }),
    ...(scheduler && { scheduler }),
    ...(ioPriority && { ioPriority }),
    ...(own?.oomScoreAdj !== undefined && { oomScoreAdj: own.oomScoreAdj }),
    ...(own?.execCPUAffinity && { execCPUAffinity: own.execCPUAffinity }),
    ...given,
    rlimits: given.rlimits?.length ? given.rlimits : (rlimits ?? []),
  };
}

function checkProcess(process: Process, options: PrepareExecOptions): void {
  if (!process.args?.length) throw conflict('$.process.args', 'must not be empty');
  const isDetached = options.lifetime === 'detached';
  if (isDetached && process.terminal && options.consoleSocket === undefined) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      'cannot allocate tty if the runtime will detach without setting console socket',
      { jsonPath: '$.process.terminal', hint: 'Give --console-socket, or leave out the terminal.' },
    );
  }
  if (options.consoleSocket !== undefined && !(isDetached && process.terminal)) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      'cannot use console socket if the runtime will not detach or allocate tty',
      { jsonPath: '$.process.terminal' },
    );
  }
}

const inherit = ['inherit', 'inherit', 'inherit'] as const;

/**
 * Runs a further process in a container: in its namespaces and cgroup, under its seccomp filter. It runs when this
 * returns. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE for a container that is stopped or paused,
 * ERR_OCI_SPEC_CONFLICT, ERR_OCI_EXEC_NOT_FOUND, ERR_OCI_EXEC_DENIED and ERR_OCI_INIT_FAILED.
 */
export async function prepareExec(id: string, options: PrepareExecOptions): Promise<InitProcess> {
  options.signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = requireRecord(root, id);
  checkStatus(root, record, options);
  const target = record.init;
  if (target === undefined) throw refuse(record, 'cannot exec in a stopped container', 'stopped');
  const process = withHome(completeProcess(options.process, record.spec.process), record.rootfs);
  checkProcess(process, options);
  checkUser(process.user, record.spec.linux ?? {});
  const spec: RuntimeSpec = { ...record.spec, process };
  reportCapabilities(spec, options.onEvent);
  const init = await startExec({
    spec,
    id,
    bundle: record.bundle,
    target,
    cgroups: execCgroups(record.cgroup, { pid: target.pid, subgroups: options.subgroups ?? [] }),
    stdio: options.stdio ?? inherit,
    consoleSocket: options.consoleSocket,
    pidfdSocket: options.pidfdSocket,
    preserveFds: options.preserveFds,
    noNewKeyring: record.noNewKeyring,
    lifetime: options.lifetime,
    seccomp: readFilter(root, id),
    signal: options.signal,
  });
  try {
    if (options.pidFile !== undefined) writePidFile(options.pidFile, init.pid);
  } catch (error) {
    if (options.lifetime === 'detached') globalThis.process.kill(init.pid, 'SIGKILL');
    await init[Symbol.asyncDispose]();
    throw error;
  }
  return init;
}

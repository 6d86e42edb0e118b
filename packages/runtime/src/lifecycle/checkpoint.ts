import { readFileSync } from 'node:fs';
import { checkpointDirectories, makePrivateDirectory } from '../checkpoint/directories.ts';
import { type DumpSettings, dumpRequest } from '../checkpoint/dump-request.ts';
import { streamTargets, writeFacts } from '../checkpoint/facts.ts';
import { criuFailure } from '../checkpoint/failure.ts';
import { externalMounts } from '../checkpoint/mounts.ts';
import { findCriu } from '../checkpoint/program.ts';
import { runtimeEnvironment } from '../env.ts';
import { RuntimeError } from '../errors.ts';
import { startCriu } from '../init/index.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';
import { remove } from './remove.ts';

/** Options of {@link checkpoint}. */
export interface CheckpointOptions extends LifecycleOptions, DumpSettings {}

const stdio = ['ignore', 'inherit', 'inherit'] as const;
const logFile = 'dump.log';

type RunningRecord = ContainerRecord & { readonly init: { readonly pid: number } };

function requireRunning(root: string, id: string): RunningRecord {
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if ((status === 'running' || status === 'paused') && record.init !== undefined)
    return { ...record, init: record.init };
  throw new RuntimeError(
    'ERR_OCI_CONTAINER_STATE',
    `container cannot be checkpointed in ${status} state: ${id}`,
    { actual: status, expected: 'running' },
  );
}

/**
 * Writes the state of a running container's processes with criu. Unless it is left running, the container is deleted
 * afterwards. Throws ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_STATE, ERR_OCI_CRIU_MISSING, and ERR_OCI_CRIU_FAILED with
 * criu's complaint.
 */
export async function checkpoint(id: string, options: CheckpointOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const root = stateRoot(options);
  const record = requireRunning(root, id);
  const { spec, bundle, rootfs, cgroup } = record;
  const { pid } = record.init;
  const criu = findCriu(options.criu ?? runtimeEnvironment().OCI_CRIU);
  const { images, work } = checkpointDirectories(options);
  for (const directory of [images, work]) makePrivateDirectory(directory);
  const mountinfo = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  const mounts = externalMounts({ mountinfo, spec, bundle, cgroup });
  if (!options.preDump) {
    const hasTerminal = spec.process?.terminal === true;
    writeFacts(images, { descriptors: streamTargets(pid), mounts, hasTerminal });
  }
  try {
    await startCriu({
      // criu is not the container's process, and runs as this program does.
      spec: { ...spec, process: { ...spec.process, terminal: false, cwd: '/', user: { uid: 0, gid: 0 } } },
      ...{ id, bundle, criu, images, work, stdio },
      ...dumpRequest(options, { pid, spec, rootfs, mounts, cgroup, logFile }),
      lifetime: 'detached',
      cgroups: [],
      signal: options.signal,
    });
  } catch (error) {
    throw criuFailure(error, { what: 'checkpoint the container', work, logFile });
  }
  if (!options.leaveRunning && !options.preDump)
    await remove(id, { root, force: true, onEvent: options.onEvent });
}

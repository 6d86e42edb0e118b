import { readFileSync, statSync } from 'node:fs';
import { criuFailure } from '../checkpoint/failure.ts';
import { findCriu, prepareDirectories, streamTargets, writeFacts } from '../checkpoint/files.ts';
import { externalMounts } from '../checkpoint/mounts.ts';
import {
  type CriuSettings,
  commonOptions,
  externalNamespaces,
  joinedNamespaces,
} from '../checkpoint/options.ts';
import { criuFds, encodeRequest, message } from '../checkpoint/request.ts';
import { runtimeEnvironment } from '../env.ts';
import { RuntimeError } from '../errors.ts';
import { startCriu } from '../init/index.ts';
import type { ContainerRecord } from '../state/record.ts';
import { containerStatus } from '../state/status.ts';
import { type LifecycleOptions, requireRecord, stateRoot } from './context.ts';
import { remove } from './remove.ts';

/** Options of {@link checkpoint}. */
export interface CheckpointOptions extends LifecycleOptions, CriuSettings {
  /** A former image, from the image path on, of which only what changed since is written. */
  readonly parentPath?: string | undefined;
  /** Let the container run on. */
  readonly leaveRunning?: boolean | undefined;
  /** Write memory alone, and let the container run on. */
  readonly preDump?: boolean | undefined;
  readonly tcpSkipInFlight?: boolean | undefined;
  readonly linkRemap?: boolean | undefined;
  /** Send memory to a page server instead of writing it. */
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  /** A descriptor of this process that gets a byte when lazy pages can be asked for. */
  readonly statusFd?: number | undefined;
}

const stdio = ['ignore', 'inherit', 'inherit'] as const;

/** Freezing the container as a whole is quicker and surer than stopping its processes one by one. */
function freezer(record: ContainerRecord): string | undefined {
  const directories = record.cgroup?.directories ?? [];
  const found = directories.find(
    ({ version, controllers }) => version === 'v2' || controllers.includes('freezer'),
  );
  return directories.find(({ controllers }) => controllers.includes('freezer'))?.path ?? found?.path;
}

function requireRunning(
  root: string,
  id: string,
): ContainerRecord & { readonly init: { readonly pid: number } } {
  const record = requireRecord(root, id);
  const status = containerStatus(root, record);
  if ((status === 'running' || status === 'paused') && record.init !== undefined)
    return { ...record, init: record.init };
  throw new RuntimeError(
    'ERR_OCI_CONTAINER_STATE',
    `container cannot be checkpointed in ${status} state: ${id}`,
    {
      actual: status,
      expected: 'running',
    },
  );
}

function dumpRequest(
  record: ContainerRecord & { readonly init: { readonly pid: number } },
  options: CheckpointOptions & { readonly external: readonly string[] },
): Uint8Array {
  const { pid } = record.init;
  const logFile = 'dump.log';
  const { pageServer } = options;
  return encodeRequest(options.preDump ? 'preDump' : 'dump', {
    ...commonOptions(options, { spec: record.spec, logFile, rootfs: record.rootfs }),
    pid,
    freezeCgroup: freezer(record),
    external: options.external,
    leaveRunning: options.leaveRunning,
    trackMemory: options.preDump === true || options.parentPath !== undefined,
    parent: options.parentPath,
    skipInFlight: options.tcpSkipInFlight,
    linkRemap: options.linkRemap,
    pageServer: pageServer && message([1, pageServer.address], [2, pageServer.port]),
    statusFd: options.statusFd === undefined ? undefined : criuFds.inherited,
  });
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
  const { pid } = record.init;
  const criu = findCriu(options.criu ?? runtimeEnvironment().OCI_CRIU);
  const { images, work } = prepareDirectories(options);
  const { spec, bundle, cgroup } = record;
  const mounts = externalMounts({
    mountinfo: readFileSync(`/proc/${pid}/mountinfo`, 'utf8'),
    spec,
    bundle,
    cgroup,
  });
  const namespaces = joinedNamespaces(spec).map(
    ({ type, path }) =>
      `${type === 'network' ? 'net' : 'pid'}[${statSync(path).ino}]:${externalNamespaces[type]}`,
  );
  const external = [...mounts.map(({ path }) => `mnt[${path}]:${path}`), ...namespaces];
  if (!options.preDump) {
    writeFacts(images, {
      descriptors: streamTargets(pid),
      mounts,
      hasTerminal: spec.process?.terminal === true,
    });
  }
  try {
    await startCriu({
      ...{
        spec: { ...spec, process: { ...spec.process, terminal: false, cwd: '/', user: { uid: 0, gid: 0 } } },
        id,
        bundle,
        criu,
        images,
        work,
      },
      stdio,
      lifetime: 'detached',
      inherited: options.statusFd === undefined ? [] : [`/proc/${process.pid}/fd/${options.statusFd}`],
      request: dumpRequest(record, { ...options, external }),
      cgroupProcs: [],
      signal: options.signal,
    });
  } catch (error) {
    throw criuFailure(error, { what: 'checkpoint the container', work, logFile: 'dump.log' });
  }
  if (!options.leaveRunning && !options.preDump)
    await remove(id, { root, force: true, onEvent: options.onEvent });
}

import { lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import { attachmentOf, type CgroupRecord, procsFiles } from '../cgroup/index.ts';
import { criuFailure } from '../checkpoint/failure.ts';
import { type CheckpointFacts, findCriu, prepareDirectories, readFacts } from '../checkpoint/files.ts';
import { boundSources, type ExternalMount } from '../checkpoint/mounts.ts';
import {
  type CriuSettings,
  commonOptions,
  externalNamespaces,
  inheritedFd,
  joinedNamespaces,
} from '../checkpoint/options.ts';
import { criuFds, encodeRequest, message } from '../checkpoint/request.ts';
import { runtimeEnvironment } from '../env.ts';
import { RuntimeError } from '../errors.ts';
import { startCriu } from '../init/index.ts';
import { checkContainerId } from '../state/id.ts';
import { removeAfterExit } from './attached.ts';
import { type LoadedBundle, loadRuntimeBundle } from './bundle.ts';
import { checkSpec } from './check.ts';
import { stateRoot } from './context.ts';
import { type CreateOptions, checkTerminal } from './create.ts';
import { Creation, firstRecord, type PreparedContainer } from './creation.ts';
import type { ExitStatus } from './exit.ts';
import { planGroup } from './group.ts';

/** Options of {@link restore}. */
export interface RestoreOptions
  extends Pick<
      CreateOptions,
      | 'root'
      | 'signal'
      | 'onEvent'
      | 'bundle'
      | 'spec'
      | 'config'
      | 'pidFile'
      | 'consoleSocket'
      | 'cgroupManager'
      | 'stdio'
    >,
    CriuSettings {
  /** A label of a security module instead of the one in the images: `apparmor:NAME` or `selinux:LABEL`. */
  readonly lsmProfile?: string | undefined;
}

/** Where a mount of the images comes from now: a bind mount's source and a cgroup may have changed. */
function currentSource(
  { path, source }: ExternalMount,
  now: { readonly sources: ReadonlyMap<string, string>; readonly cgroup: CgroupRecord | undefined },
): string {
  const given = now.sources.get(path);
  if (given !== undefined) return given;
  const hierarchy = findHierarchies().find(({ mountPoint }) => source.startsWith(`${mountPoint}/`));
  return hierarchy !== undefined && now.cgroup !== undefined
    ? hierarchy.mountPoint + now.cgroup.path
    : source;
}

/** A target that the image does not have is made, as the init did; nothing is made through a link of the image. */
function prepareTarget(rootfs: string, path: string, source: string): void {
  const missing = new RuntimeError(
    'ERR_OCI_SPEC_CONFLICT',
    `${JSON.stringify(path)} leads through a symbolic link`,
    { path },
  );
  const exists = (place: string): boolean => {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) throw missing;
    return stats !== undefined;
  };
  const parts = path.split('/').filter(Boolean);
  let place = rootfs;
  for (const [index, part] of parts.entries()) {
    place = join(place, part);
    if (exists(place)) continue;
    const isLast = index === parts.length - 1;
    if (isLast && !statSync(source).isDirectory()) writeFileSync(place, '', { flag: 'wx', mode: 0o644 });
    else mkdirSync(place, 0o755);
  }
}

/** Targets on a file system of the container's own, such as /dev, come with the images. */
function isOnRoot(path: string, bundle: LoadedBundle): boolean {
  const below = (bundle.spec.mounts ?? [])
    .map(({ destination }) => destination)
    .filter((one) => one !== path);
  return !below.some((destination) => dirname(path) === destination || path.startsWith(`${destination}/`));
}

function restoreRequest(
  bundle: LoadedBundle,
  options: RestoreOptions,
  parts: {
    readonly facts: CheckpointFacts;
    readonly mounts: readonly ExternalMount[];
    readonly cgroup: CgroupRecord | undefined;
  },
): { readonly request: Uint8Array; readonly inherited: readonly string[] } {
  const { facts, mounts, cgroup } = parts;
  const namespaces = joinedNamespaces(bundle.spec);
  const streams = facts.descriptors.flatMap((target, fd) =>
    target.startsWith('pipe:') ? [inheritedFd(target, fd)] : [],
  );
  const request = encodeRequest('restore', {
    ...commonOptions(options, { spec: bundle.spec, logFile: 'restore.log', rootfs: bundle.rootfs }),
    notify: true,
    sibling: true,
    external: mounts.map(({ path, source }) => `mnt[${path}]:${source}`),
    inherited: [
      ...streams,
      ...namespaces.map(({ type }, index) =>
        inheritedFd(externalNamespaces[type], criuFds.inherited + index),
      ),
    ],
    // The container may have another name now, or another place.
    cgroupRoot: cgroup === undefined ? undefined : [message([2, cgroup.path])],
    securityProfile: options.lsmProfile,
  });
  return { request, inherited: namespaces.map(({ path }) => path) };
}

async function prepareRestore(
  id: string,
  options: RestoreOptions & { readonly lifetime: 'attached' | 'detached' },
): Promise<PreparedContainer> {
  options.signal?.throwIfAborted();
  checkContainerId(id);
  const root = stateRoot(options);
  const bundle = loadRuntimeBundle(options.bundle, { spec: options.spec, config: options.config });
  checkSpec(bundle.spec);
  checkTerminal(bundle.spec, options);
  const criu = findCriu(options.criu ?? runtimeEnvironment().OCI_CRIU);
  const { images, work } = prepareDirectories(options);
  const facts = readFacts(images);
  const group = await planGroup(id, bundle.spec, {
    manager: options.cgroupManager ?? 'cgroupfs',
    signal: options.signal,
  });
  const creation = new Creation(firstRecord(id, bundle, { ...options, root }), { ...options, root });
  try {
    await creation.makeCgroup(group);
    const { cgroup } = creation.record;
    const sources = boundSources(bundle.spec, bundle.directory);
    const mounts = facts.mounts.map((mount) => ({
      ...mount,
      source: currentSource(mount, { sources, cgroup }),
    }));
    for (const { path, source } of mounts)
      if (isOnRoot(path, bundle)) prepareTarget(bundle.rootfs, path, source);
    const init = await startCriu({
      ...{ spec: bundle.spec, id, bundle: bundle.directory, rootfs: bundle.rootfs, criu, images, work },
      ...restoreRequest(bundle, options, { facts, mounts, cgroup }),
      stdio: options.stdio ?? ['inherit', 'inherit', 'inherit'],
      lifetime: options.lifetime,
      consoleSocket: options.consoleSocket,
      cgroupProcs: cgroup === undefined ? [] : procsFiles(cgroup),
      deviceProgram: attachmentOf(cgroup, group.deviceProgram),
      enterCgroup: group.enter,
      onCreated: (pid) => creation.onCreated(pid),
      signal: options.signal,
    });
    return await creation.finish(init);
  } catch (error) {
    await creation.undo();
    throw criuFailure(error, { what: 'restore the container', work, logFile: 'restore.log' });
  }
}

/**
 * Restores a container from what `checkpoint` wrote, waits for its end and deletes it. Its configuration is the bundle's, its
 * processes are as they were. Throws ERR_OCI_CHECKPOINT_INVALID, ERR_OCI_CRIU_MISSING, ERR_OCI_CRIU_FAILED, and what
 * `create` throws.
 */
export async function restore(id: string, options: RestoreOptions): Promise<ExitStatus> {
  const container = await prepareRestore(id, { ...options, lifetime: 'attached' });
  return await removeAfterExit(container, { ...options, root: container.root }, async () => undefined);
}

/** Restores a container that outlives this process; returns its init's process id. Throws as {@link restore}. */
export async function restoreDetached(id: string, options: RestoreOptions): Promise<number> {
  const { init } = await prepareRestore(id, { ...options, lifetime: 'detached' });
  return init.pid;
}

import { posix } from 'node:path';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { type MountInfo, parseMountInfo } from '@ocijs/linux/mount-info';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import type { CgroupRecord } from '../cgroup/record.ts';
import { RuntimeError } from '../errors.ts';
import { defaultDevices } from '../plan/devices.ts';
import { parseMountOptions } from '../plan/mount-options.ts';
import { containerPath } from '../plan/mount-targets.ts';

/** A mount of the container that criu leaves to us: what it is called in the images, and what stands there at restore. */
export interface ExternalMount {
  readonly path: string;
  readonly source: string;
}

/** Sources of the configuration's bind mounts, by where they are in the container. */
function boundSources(spec: RuntimeSpec, bundle: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const mount of spec.mounts ?? []) {
    const isBind = parseMountOptions(mount.options ?? []).bind !== false || /^r?bind$/.test(mount.type ?? '');
    if (isBind && mount.source)
      sources.set(containerPath(mount.destination), posix.resolve(bundle, mount.source));
  }
  return sources;
}

/** Device nodes of the host that stand where the container may not make its own. */
function deviceSources(spec: RuntimeSpec): Map<string, string> {
  const devices = [...defaultDevices, ...(spec.linux?.devices ?? [])];
  return new Map(devices.map(({ path }) => [containerPath(path), path]));
}

/** The host's directory of the container's own group in the hierarchy of a mount. */
function groupSource(line: MountInfo, record: CgroupRecord | undefined): string | undefined {
  const found = record?.directories.find(({ version, controllers }) =>
    line.type === 'cgroup2'
      ? version === 'v2'
      : version === 'v1' && controllers.every((name) => line.superOptions.includes(name)),
  );
  return found?.path;
}

/**
 * The mounts that are no file systems of the container's own: binds of the configuration, the null device over masked
 * files, cgroups as the host has them.
 */
export function externalMounts(options: {
  readonly mountinfo: string;
  readonly spec: RuntimeSpec;
  readonly bundle: string;
  readonly cgroup: CgroupRecord | undefined;
}): ExternalMount[] {
  const { mountinfo, spec, bundle, cgroup } = options;
  const sources = boundSources(spec, bundle);
  const masked = new Set((spec.linux?.maskedPaths ?? []).map(containerPath));
  const devices = deviceSources(spec);
  const found = parseMountInfo(mountinfo).flatMap((line) => {
    const { mountPoint: path, type } = line;
    const ownGroup =
      type === 'cgroup' || (type === 'cgroup2' && line.root !== '/') ? groupSource(line, cgroup) : undefined;
    const isNull = masked.has(path) && posix.basename(line.root) === 'null';
    const isNode = posix.basename(line.root) === posix.basename(path) && type !== 'devpts';
    const source =
      sources.get(path) ??
      ownGroup ??
      (isNull ? '/dev/null' : undefined) ??
      (isNode ? devices.get(path) : undefined);
    return source === undefined ? [] : [{ path, source }];
  });
  return [...new Map(found.map((mount) => [mount.path, mount])).values()];
}

/** Where a cgroup of the images lies now: the container's group may have another name. */
function groupNow(
  { path, source }: ExternalMount,
  { spec, cgroup }: { readonly spec: RuntimeSpec; readonly cgroup: CgroupRecord | undefined },
): string | undefined {
  const isGroup = (spec.mounts ?? []).some(({ type, destination }) => {
    const place = containerPath(destination);
    return (type === 'cgroup' || type === 'cgroup2') && `${path}/`.startsWith(`${place}/`);
  });
  const hierarchy = findHierarchies().find(({ mountPoint }) => source.startsWith(`${mountPoint}/`));
  return isGroup && hierarchy && cgroup ? hierarchy.mountPoint + cgroup.path : undefined;
}

/**
 * What stands in a restored container where a checkpoint names a mount. The sources are those of today's configuration:
 * what lies beside images must not decide which files of the host a container sees. Throws ERR_OCI_CHECKPOINT_INVALID for
 * a mount that the configuration does not have.
 */
export function restoredMounts(
  mounts: readonly ExternalMount[],
  container: {
    readonly spec: RuntimeSpec;
    readonly bundle: string;
    readonly cgroup: CgroupRecord | undefined;
  },
): ExternalMount[] {
  const { spec, bundle } = container;
  const sources = new Map([...deviceSources(spec), ...boundSources(spec, bundle)]);
  return mounts.map((mount) => {
    const { path } = mount;
    const isNull = mount.source === '/dev/null';
    const source = sources.get(path) ?? (isNull ? mount.source : groupNow(mount, container));
    if (source !== undefined) return { path, source };
    const message = `the configuration has no mount at ${JSON.stringify(path)}, and the checkpoint one`;
    throw new RuntimeError('ERR_OCI_CHECKPOINT_INVALID', message, {
      path,
      hint: 'Restore with the configuration that the container had, its mounts at least.',
    });
  });
}

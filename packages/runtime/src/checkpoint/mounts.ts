import { dirname, posix } from 'node:path';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { type MountInfo, parseMountInfo } from '@ocijs/linux/mount-info';
import type { CgroupRecord } from '../cgroup/record.ts';
import { parseMountOptions } from '../plan/mount-options.ts';
import { containerPath } from '../plan/mount-targets.ts';

/** A mount of the container that criu leaves to us: what it is called in the images, and what stands there at restore. */
export interface ExternalMount {
  readonly path: string;
  readonly source: string;
}

/** Sources of the configuration's bind mounts, by where they are in the container. */
export function boundSources(spec: RuntimeSpec, bundle: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const mount of spec.mounts ?? []) {
    const isBind = parseMountOptions(mount.options ?? []).bind !== false || /^r?bind$/.test(mount.type ?? '');
    if (isBind && mount.source)
      sources.set(containerPath(mount.destination), posix.resolve(bundle, mount.source));
  }
  return sources;
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
  const devices = new Map((spec.linux?.devices ?? []).map(({ path }) => [containerPath(path), path]));
  const found = parseMountInfo(mountinfo).flatMap((line) => {
    const { mountPoint: path, type } = line;
    const ownGroup =
      type === 'cgroup' || (type === 'cgroup2' && line.root !== '/') ? groupSource(line, cgroup) : undefined;
    const isNull = masked.has(path) && posix.basename(line.root) === 'null';
    const isDevice =
      dirname(path) === '/dev' && line.root === `/${posix.basename(path)}` && type !== 'devpts';
    const source =
      sources.get(path) ??
      ownGroup ??
      (isNull ? '/dev/null' : undefined) ??
      (isDevice ? (devices.get(path) ?? path) : undefined);
    return source === undefined ? [] : [{ path, source }];
  });
  return [...new Map(found.map((mount) => [mount.path, mount])).values()];
}

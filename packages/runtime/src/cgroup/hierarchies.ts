import { readFileSync, statfsSync } from 'node:fs';
import { parseMountInfo } from '@ocijs/linux/mount-info';
import { RuntimeError } from '../errors.ts';

/** The magic numbers that `statfs(2)` gives for the two kinds of cgroup file systems. */
const magic = { v1: 0x27e0eb, v2: 0x63677270 } as const;

/** One mounted cgroup file system. */
export interface Hierarchy {
  readonly version: 'v1' | 'v2';
  readonly mountPoint: string;
  /** v1: what is attached, such as `cpu` and `cpuacct`, or `name=systemd`. Empty for v2. */
  readonly controllers: readonly string[];
}

/** Options of v1 mounts that are not controllers. */
const mountOptions = new Set([
  'rw',
  'ro',
  'xattr',
  'noprefix',
  'clone_children',
  'all',
  'none',
  'cpuset_v2_mode',
]);

/** Finds the cgroup mounts in the text of `/proc/self/mountinfo`; of several mounts of one hierarchy the first. */
export function parseCgroupMounts(mountinfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const { mountPoint, type, superOptions } of parseMountInfo(mountinfo)) {
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    const controllers =
      type === 'cgroup2'
        ? []
        : superOptions.filter((option) => !mountOptions.has(option) && !/^release_agent=/.test(option));
    const key = type === 'cgroup2' ? 'v2' : controllers.join(',');
    if (!found.has(key)) {
      found.set(key, { version: type === 'cgroup2' ? 'v2' : 'v1', mountPoint, controllers });
    }
  }
  return [...found.values()];
}

function isMounted(hierarchy: Hierarchy): boolean {
  try {
    return statfsSync(hierarchy.mountPoint).type === magic[hierarchy.version];
  } catch {
    return false;
  }
}

/**
 * The cgroup hierarchies of this host. The kind of each is checked by its magic number, because a plain
 * directory of the same name would take our writes without any effect.
 */
export function findHierarchies(): readonly Hierarchy[] {
  if (process.platform !== 'linux') {
    throw new RuntimeError('ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED', 'containers need Linux');
  }
  return parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8')).filter(isMounted);
}

/** True when cgroup v2 is the only hierarchy: then it holds all controllers. */
export function isUnified(hierarchies: readonly Hierarchy[]): boolean {
  return hierarchies.length > 0 && hierarchies.every(({ version }) => version === 'v2');
}

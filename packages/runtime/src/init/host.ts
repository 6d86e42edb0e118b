import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMountInfo } from '@ocijs/linux/mount-info';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import type { CgroupHierarchy, HostFacts } from '../plan/input.ts';
import { boundingSet } from '../process/bounding-set.ts';

/** Where the set-uid helpers are looked for; the caller's PATH has no say in what gets a container's ids. */
const helperDirectories = ['/usr/bin', '/bin', '/usr/local/bin', '/run/wrappers/bin'];

function findHelper(name: string): string | undefined {
  return helperDirectories
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        // Not there, or not for us: the next directory.
        return false;
      }
    });
}

/** The caller's group in each hierarchy, from the lines `ID:CONTROLLERS:PATH` of /proc/self/cgroup. */
export function parseOwnGroups(text: string): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, ...path] = line.split(':');
    if (controllers !== undefined) groups.set(controllers, path.join(':'));
  }
  return groups;
}

function cgroups(): CgroupHierarchy[] {
  const groups = parseOwnGroups(readFileSync('/proc/self/cgroup', 'utf8'));
  return findHierarchies().map((hierarchy) => ({
    ...hierarchy,
    ownGroup: groups.get(hierarchy.controllers.join(',')) ?? '/',
  }));
}

/** Mounts of procfs and sysfs, the last one first. */
export function parseKernelMounts(mountinfo: string): string[] {
  return parseMountInfo(mountinfo)
    .filter(({ type }) => type === 'proc' || type === 'sysfs')
    .map(({ mountPoint }) => mountPoint)
    .reverse();
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // The kernel has no such module.
    return '';
  }
}

/** Looks up what a plan depends on; only what the configuration makes necessary. */
export function hostFacts(needs: {
  readonly cgroups: boolean;
  readonly kernelMounts: boolean;
  readonly idMapHelpers: boolean;
  readonly labels: boolean;
}): HostFacts {
  return {
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    capabilities: boundingSet(),
    groupsDenied: readOptional('/proc/self/setgroups') === 'deny',
    cgroups: needs.cgroups ? cgroups() : [],
    kernelMounts: needs.kernelMounts ? parseKernelMounts(readFileSync('/proc/self/mountinfo', 'utf8')) : [],
    newuidmap: needs.idMapHelpers ? findHelper('newuidmap') : undefined,
    newgidmap: needs.idMapHelpers ? findHelper('newgidmap') : undefined,
    hasKcore: existsSync('/proc/kcore'),
    labels: {
      selinux: needs.labels && existsSync('/sys/fs/selinux/enforce'),
      apparmor: needs.labels && readOptional('/sys/module/apparmor/parameters/enabled') === 'Y',
    },
  };
}

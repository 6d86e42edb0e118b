import { posix } from 'node:path';
import { RuntimeError } from '../errors.ts';

/** The group that holds the groups of containers whose configuration names none. */
export const defaultParent = '/oci';

/**
 * A container's place in every hierarchy, from its root: `cgroupsPath`, cleaned so that it cannot leave the
 * hierarchy, or `/oci/ID`. Throws ERR_OCI_CGROUP_INVALID for the root group itself.
 */
export function cgroupPath(options: {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
}): string {
  if (!options.cgroupsPath) return `${defaultParent}/${options.id}`;
  const path = posix.normalize(`/${options.cgroupsPath}`).replace(/\/+$/, '');
  if (path === '') {
    throw new RuntimeError('ERR_OCI_CGROUP_INVALID', 'linux.cgroupsPath is the root of the hierarchy', {
      path: options.cgroupsPath,
      jsonPath: '$.linux.cgroupsPath',
    });
  }
  return path;
}

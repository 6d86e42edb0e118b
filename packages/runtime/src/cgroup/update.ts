import type { Resources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { applyWrites } from './apply.ts';
import { isUnified } from './hierarchies.ts';
import type { CgroupRecord } from './record.ts';
import { type CgroupWrite, resourceWritesV1, resourceWritesV2 } from './writes.ts';

/** Zeros that mean "not set" in a configuration, but say something in a change. */
function explicitZeros({ cpu }: Resources): CgroupWrite[] {
  const v1 = { controller: 'cpu', value: '0' };
  return cpu?.idle === 0 ? [{ ...v1, file: 'cpu.idle' }] : [];
}

function missing(what: string): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_CGROUP_MISSING',
    `${what} cannot be set: the container has no such controller`,
    {
      actual: what,
      hint: 'The controller is not mounted, or was not delegated to whoever made the container.',
    },
  );
}

/** Changes the limits of a running container's group. Throws ERR_OCI_CGROUP_INVALID, ERR_OCI_CGROUP_MISSING and ERR_OCI_CGROUP_DENIED. */
export function updateCgroup(record: CgroupRecord | undefined, resources: Resources): void {
  const directories = record?.directories ?? [];
  const unified = isUnified(directories.map((directory) => ({ ...directory, mountPoint: '' })));
  // Idle first: a group of idle weight refuses any other weight.
  const writes = [
    ...explicitZeros(resources),
    ...(unified ? resourceWritesV2(resources) : resourceWritesV1(resources)),
  ];
  for (const { controller, file } of writes) {
    const isKnown = directories.some(
      (directory) => (unified && directory.version === 'v2') || directory.controllers.includes(controller),
    );
    if (!isKnown) throw missing(file);
  }
  if (resources.blockIO !== undefined && !writes.some(({ controller }) => /^(blkio|io)$/.test(controller))) {
    throw missing('blockIO');
  }
  // On a host with both, v2 has no limits.
  for (const directory of directories)
    if (unified || directory.version === 'v1') applyWrites(directory, writes);
}

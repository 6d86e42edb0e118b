import { writeFileSync } from 'node:fs';
import type { Resources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { isUnified } from './hierarchies.ts';
import type { CgroupDirectory, CgroupRecord } from './record.ts';
import { readCounter } from './stats/read.ts';
import { type CgroupWrite, resourceWritesV1, resourceWritesV2 } from './writes.ts';

function memoryHint({ path }: CgroupDirectory, { file }: CgroupWrite): string | undefined {
  if (file !== 'memory.limit_in_bytes') return undefined;
  const [usage, peak] = ['usage_in_bytes', 'max_usage_in_bytes'].map((name) =>
    readCounter(`${path}/memory.${name}`),
  );
  return `The container uses ${usage} bytes now, and used ${peak} at most.`;
}

function failure(directory: CgroupDirectory, write: CgroupWrite, cause: unknown): RuntimeError {
  const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const path = `${directory.path}/${write.file}`;
  const hint = errno === 'EBUSY' ? memoryHint(directory, write) : undefined;
  const message = `cannot set ${write.file} to ${JSON.stringify(write.value)}: ${errno}`;
  return new RuntimeError('ERR_OCI_CGROUP_DENIED', message, { path, errno, cause, ...(hint && { hint }) });
}

/**
 * Writes to one directory. The kernel checks some values against each other (memory and swap, quota, period and
 * burst), and which has to come first depends on the old ones: what is refused is tried again after the others.
 */
function applyWrites(directory: CgroupDirectory, writes: readonly CgroupWrite[]): void {
  let pending = writes;
  for (;;) {
    const refused: { readonly write: CgroupWrite; readonly error: unknown }[] = [];
    for (const write of pending) {
      try {
        writeFileSync(`${directory.path}/${write.file}`, write.value, { flag: 'r+' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw failure(directory, write, error);
        refused.push({ write, error });
      }
    }
    const [first] = refused;
    if (first === undefined) return;
    if (refused.length === pending.length) throw failure(directory, first.write, first.error);
    pending = refused.map(({ write }) => write);
  }
}

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
  for (const directory of directories) {
    const own = writes.filter(({ controller }) => unified || directory.controllers.includes(controller));
    applyWrites(directory, own);
  }
}

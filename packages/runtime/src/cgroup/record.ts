import { RuntimeError } from '../errors.ts';

/** One directory of a container's cgroup, in one hierarchy. */
export interface CgroupDirectory {
  readonly path: string;
  readonly version: 'v1' | 'v2';
  readonly controllers: readonly string[];
  /** True when the runtime made this directory, and so removes it. */
  readonly created: boolean;
}

/** A unit of systemd that a container's cgroup belongs to. */
export interface SystemdUnit {
  readonly unit: string;
  /** Of the user's own systemd. */
  readonly isUser: boolean;
}

/** A container's cgroup as its state keeps it; no directory at all when the user may not make any. */
export interface CgroupRecord {
  /** From the root of each hierarchy. */
  readonly path: string;
  readonly directories: readonly CgroupDirectory[];
  readonly systemd?: SystemdUnit;
}

/** The files that a process's id is written to, to put it into the cgroup. */
export function procsFiles(record: CgroupRecord): string[] {
  return record.directories.map(({ path }) => `${path}/cgroup.procs`);
}

/** The group that a device program of cgroup v2 is attached to. Undefined without such a program. */
export function attachmentOf(
  record: CgroupRecord | undefined,
  program: Uint8Array | undefined,
): { readonly cgroup: string; readonly program: Uint8Array } | undefined {
  const directory = record?.directories.find(({ version }) => version === 'v2');
  if (program === undefined) return undefined;
  if (directory !== undefined) return { cgroup: directory.path, program };
  throw new RuntimeError(
    'ERR_OCI_CGROUP_MISSING',
    'devices cannot be restricted: the container has no cgroup v2 group',
  );
}

import { RuntimeError } from '../errors.ts';
import type { CgroupEntry } from '../plan/input.ts';

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

/** The directories in the order in which a process enters them: in a frozen group it stops at once. */
export function joinOrder(record: CgroupRecord): readonly CgroupDirectory[] {
  const isFreezer = ({ controllers }: CgroupDirectory): boolean => controllers.includes('freezer');
  return record.directories.toSorted((a, b) => Number(isFreezer(a)) - Number(isFreezer(b)));
}

/** The groups that a process joins, to be in the cgroup. */
export function entriesOf(record: CgroupRecord): CgroupEntry[] {
  return joinOrder(record).map(({ path, version }) => ({ procs: `${path}/cgroup.procs`, version }));
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

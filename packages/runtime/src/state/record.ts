import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { CgroupRecord } from '../cgroup/record.ts';
import type { ProcessIdentity } from '../process/stat.ts';

/** What `state.json` keeps of a container, from before anything is made until everything is gone. */
export interface ContainerRecord {
  /** The version of this form. */
  readonly version: 1;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** When the container was created, RFC 3339. */
  readonly created: string;
  /** The name of the user who created it; empty when the host has none. */
  readonly owner: string;
  /** The process that makes the container; its creation is unfinished while `finished` is false. */
  readonly creator: ProcessIdentity;
  readonly finished: boolean;
  /** The container's first process, as soon as there is one. */
  readonly init?: ProcessIdentity;
  /** The cgroup, as soon as it is decided which; its directories may not be there yet. */
  readonly cgroup?: CgroupRecord;
  /** Directories of resctrl that were made for the container. */
  readonly resctrl?: readonly string[];
  /** Where the monitor of an attached container writes how the init ended. */
  readonly exitFile?: string;
  /** True when its processes stay in the session keyring of whoever starts them. */
  readonly noNewKeyring?: boolean;
  /** The configuration that the container was made from. */
  readonly spec: RuntimeSpec;
}

/** The life of a container (runtime-spec `runtime.md`, "State"). */
export type ContainerStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** The state of a container as `state` and `list` print it: the specification's fields and runc's. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  /** The host's id of the first process; 0 when it ended. */
  readonly pid: number;
  readonly status: ContainerStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

import type { RuntimeSpec } from '@ocijs/bundle/spec';

/** One cgroup file system of the host. */
export interface CgroupHierarchy {
  readonly version: 'v1' | 'v2';
  readonly mountPoint: string;
  /** v1: such as `cpu` and `cpuacct`, or `name=systemd`. */
  readonly controllers: readonly string[];
  /** The caller's own group in it, from the hierarchy's root: `/user.slice/…`. */
  readonly ownGroup: string;
}

/** A group that a process joins. */
export interface CgroupEntry {
  /** The file that process ids are written to: `cgroup.procs`, or `tasks` of resctrl. */
  readonly procs: string;
  /** The file to write to where that one takes no processes any more. */
  readonly otherwise?: string | undefined;
  /** Of what kind the group is; undefined for resctrl. */
  readonly version?: 'v1' | 'v2' | undefined;
}

/** What a plan depends on besides the configuration: looked up once, so that compiling is a pure function. */
export interface HostFacts {
  /** The effective ids of the caller. */
  readonly uid: number;
  readonly gid: number;
  /** True when the caller's own user namespace has given up setgroups(2). */
  readonly groupsDenied: boolean;
  /** Which capabilities the caller may give: its bounding set, one bit each. */
  readonly capabilities: bigint;
  readonly cgroups: readonly CgroupHierarchy[];
  /** Where procfs and sysfs are mounted; needed for a change of root without pivot_root. */
  readonly kernelMounts: readonly string[];
  /** Absolute paths of the set-uid helpers, where they are installed. */
  readonly newuidmap?: string | undefined;
  readonly newgidmap?: string | undefined;
  /** True when the kernel shows its memory as /proc/kcore. */
  readonly hasKcore: boolean;
  /** Which security modules label processes. */
  readonly labels: { readonly selinux: boolean; readonly apparmor: boolean };
}

/** What the plan of any process is compiled from: a container's first, or one that joins it. */
export interface ProcessInput {
  /** The container's configuration; its `process` is the one to run. */
  readonly spec: RuntimeSpec;
  readonly id: string;
  readonly bundle: string;
  /** Which of stdin, stdout and stderr become pipes of the monitor: bits 0, 1, 2. */
  readonly pipes: number;
  readonly consoleSocket?: string | undefined;
  readonly pidfdSocket?: string | undefined;
  readonly preserveFds: number;
  readonly noNewKeyring: boolean;
  readonly lifetime: 'detached' | 'attached';
  readonly exitFile?: string | undefined;
  readonly hostSession: boolean;
  /** The compiled filter of `linux.seccomp`: instructions of struct sock_filter, and flags of seccomp(2). */
  readonly seccomp?: { readonly program: Uint8Array; readonly flags: number } | undefined;
  readonly host: HostFacts;
}

/** What the launch plan of a container is compiled from. */
export interface PlanInput extends ProcessInput {
  /** Absolute. */
  readonly rootfs: string;
  readonly stateDirectory: string;
  readonly cgroups: readonly CgroupEntry[];
  readonly noPivot: boolean;
  /** True when the caller puts the process into its cgroup. */
  readonly hostCgroup: boolean;
  /** True when the caller wants a word when the namespaces exist. */
  readonly hostHooks: boolean;
  /** What decides about devices on cgroup v2: the group's directory, and instructions of struct bpf_insn. */
  readonly deviceProgram?: { readonly cgroup: string; readonly program: Uint8Array } | undefined;
}

/** What the plan of a further process in a running container is compiled from. */
export interface ExecPlanInput extends ProcessInput {
  /** The container's first process; the start time tells it from a later one of the same id. */
  readonly target: { readonly pid: number; readonly startTime: number };
  readonly cgroups: readonly CgroupEntry[];
}

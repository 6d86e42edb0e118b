import type { Readable, Writable } from 'node:stream';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { CgroupEntry } from '../plan/input.ts';

/** One of the container's standard streams: a descriptor, a pipe to this program, nothing, or this program's own. */
export type StdioOption = number | 'pipe' | 'ignore' | 'inherit';

/** How a container's process ended: its code, or 128 + the number of the signal that ended it. */
export interface InitExit {
  readonly exitCode: number;
  /** Such as `SIGKILL`. */
  readonly signal?: string;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** What every process of a container is started with. */
export interface ProcessOptions {
  /** The container's configuration; its `process` is the one that is started. */
  readonly spec: RuntimeSpec;
  readonly id: string;
  /** The bundle's directory: relative sources of bind mounts start there. */
  readonly bundle: string;
  readonly stdio: readonly [StdioOption, StdioOption, StdioOption];
  /** A unix socket that takes the terminal's master, for `process.terminal`. */
  readonly consoleSocket?: string | undefined;
  /** A unix socket that takes a pidfd of the process when it is created. */
  readonly pidfdSocket?: string | undefined;
  /** How many descriptors of this program, from 3 on, the process gets. */
  readonly preserveFds?: number | undefined;
  /** Leave the process in the session keyring of the caller. */
  readonly noNewKeyring?: boolean | undefined;
  /**
   * `detached`: the process is a child of the next subreaper as soon as it is created.
   * `attached`: a monitor stays its parent, relays its terminal, and ends it when this program ends.
   */
  readonly lifetime: 'detached' | 'attached';
  /** Attached: where the monitor keeps how the process ended; see `readExitFile`. */
  readonly exitFile?: string | undefined;
  /** Attached: the monitor has a session of its own and outlives this program. */
  readonly hostSession?: boolean | undefined;
  /** The compiled filter of `linux.seccomp`: struct sock_filter instructions, and flags of seccomp(2). */
  readonly seccomp?: { readonly program: Uint8Array; readonly flags: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `startInit`. */
export interface StartInitOptions extends ProcessOptions {
  /** Absolute. */
  readonly rootfs: string;
  /** An existing directory of the container's own; `exec.fifo` is made there. */
  readonly stateDirectory: string;
  /** The process is in these groups before it does anything. */
  readonly cgroups: readonly CgroupEntry[];
  /** Change the root without pivot_root(2), which an initial ramdisk does not allow. */
  readonly noPivot?: boolean | undefined;
  /**
   * What decides about devices on cgroup v2: the directory of the container's group, and an eBPF program of struct
   * bpf_insn instructions. It is attached before the container's process joins the group.
   */
  readonly deviceProgram?: { readonly cgroup: string; readonly program: Uint8Array } | undefined;
  /** Puts the process into a cgroup, when it has done nothing yet. */
  readonly enterCgroup?: ((pid: number) => Promise<void>) | undefined;
  /** Called when the namespaces and cgroups are there and the root file system is still the host's. */
  readonly onCreated?: ((pid: number) => Promise<void>) | undefined;
}

/** A container's process, from its creation on. */
export interface InitProcess extends AsyncDisposable {
  /** In this program's pid namespace. */
  readonly pid: number;
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  /** Changes the size of the process's terminal, if it has one that is relayed; at most 65535 each. */
  resize(size: TerminalSize): void;
  /**
   * How the process ended. Of a detached process only its new parent is told: then this rejects with
   * ERR_OCI_INIT_DETACHED.
   */
  readonly exited: Promise<InitExit>;
}

/** The longest container id, in characters: it becomes a file name and a cgroup name. */
export const containerIdLimit: number = 255;

/** The largest `state.json` that is read, in bytes; it holds the container's whole configuration. */
export const stateSizeLimit: number = 16 * 1024 * 1024;

/** How many instructions a seccomp filter may have (BPF_MAXINSNS). */
export const seccompInstructionLimit: number = 4096;

/** The largest compiled seccomp filter that is read, in bytes: a head, and as many instructions as the kernel takes. */
export const filterSizeLimit: number = 4 + seccompInstructionLimit * 8;

/** How many bytes of a failed hook's output go into the error message. */
export const hookOutputLimit: number = 4096;

/** The largest `config.json`, as in `@ocijs/bundle`, in bytes. */
export const configSizeLimit: number = 8 * 1024 * 1024;

/** How long, in milliseconds, a killed process may take to be gone before its deletion fails. */
export const killTimeout: number = 10_000;

/** How long, in milliseconds, a cgroup whose processes were killed may stay busy. */
export const cgroupRemovalTimeout: number = 5_000;

/** How long, in milliseconds, the processes of a container may take to stop when it is paused. */
export const freezeTimeout: number = 5_000;

/** How often, in milliseconds, is looked whether memory ran out, where the kernel does not tell. */
export const oomPollInterval: number = 100;

/** The largest `/etc/passwd` of a root file system that is read, in bytes. */
export const userDatabaseSizeLimit: number = 16 * 1024 * 1024;

/** The largest message of systemd's bus that is read, in bytes. */
export const dbusMessageLimit: number = 1024 * 1024;

/** How long, in milliseconds, systemd may take to start or stop a unit. */
export const systemdJobTimeout: number = 60_000;

/** How many groups below a container's cgroup are looked at. */
export const cgroupTreeLimit: number = 10_000;

/** How many devices rules may name on cgroup v2: the kernel's verifier looks at a program for a limited time only. */
export const deviceExceptionLimit: number = 256;

/** The largest file beside criu's images that is read, in bytes. */
export const checkpointFileLimit: number = 1024 * 1024;

/** How much of the end of criu's log is looked through for errors, in bytes. */
export const criuLogTail: number = 256 * 1024;

/** The largest seccomp profile that is read from a file, in bytes. */
export const seccompProfileSizeLimit: number = 1024 * 1024;

/** How many compiled seccomp profiles are kept for further containers. */
export const keptSeccompFilters: number = 16;

/** The largest answer of a CNI plugin or of slirp4netns, and the largest record of a connection, in bytes. */
export const networkAnswerLimit: number = 1024 * 1024;

/** How long, in milliseconds, a program that connects a container to a network may take. */
export const networkHelperTimeout: number = 60_000;

/** How many ports one container may publish. */
export const publishedPortLimit: number = 65_536;

/** How many files that no owner can be noted at keep one while a container runs. */
export const rememberedOwnerLimit: number = 65_536;

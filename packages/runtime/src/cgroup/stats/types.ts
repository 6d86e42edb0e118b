/** A number that the kernel counts; a bigint above 2^53. */
export type Counter = number | bigint;

/** Bytes of memory, or of memory and swap together. */
export interface MemoryEntry {
  /** What the kernel calls unlimited is a very large number. */
  readonly limit: Counter;
  readonly usage?: Counter;
  readonly max?: Counter;
  /** How often the limit was met. */
  readonly failcnt: Counter;
}

/** One line of the kernel's counts for a block device. */
export interface BlockEntry {
  readonly major?: number;
  readonly minor?: number;
  readonly op?: string;
  readonly value?: Counter;
}

/** How long tasks had to wait for something, in percent of the last 10, 60 and 300 seconds, and in microseconds in all. */
export interface PressureEntry {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: Counter;
}

/** Pressure stall information of cgroup v2. */
export interface Pressure {
  readonly some?: PressureEntry;
  readonly full?: PressureEntry;
}

/** What a container uses, in the form in which runc prints it: fields that are zero may be left out. Times are nanoseconds. */
export interface ContainerStats {
  readonly cpu: {
    readonly usage: {
      readonly total?: Counter;
      readonly percpu?: readonly Counter[];
      readonly percpu_kernel?: readonly Counter[];
      readonly percpu_user?: readonly Counter[];
      readonly kernel: Counter;
      readonly user: Counter;
    };
    readonly throttling: {
      readonly periods?: Counter;
      readonly throttledPeriods?: Counter;
      readonly throttledTime?: Counter;
    };
    readonly psi?: Pressure;
  };
  readonly cpuset: Readonly<Record<string, Counter | readonly number[]>>;
  readonly memory: {
    readonly cache?: Counter;
    readonly usage: MemoryEntry;
    readonly swap: MemoryEntry;
    readonly kernel: MemoryEntry;
    readonly kernelTCP: MemoryEntry;
    readonly raw?: Readonly<Record<string, Counter>>;
    readonly psi?: Pressure;
  };
  readonly pids: { readonly current?: Counter; readonly limit?: Counter };
  readonly blkio: Readonly<Record<string, readonly BlockEntry[] | Pressure>>;
  readonly hugetlb: Readonly<Record<string, { usage?: Counter; max?: Counter; failcnt: Counter }>>;
  readonly intel_rdt: Readonly<Record<string, never>>;
  readonly network_interfaces: null;
}

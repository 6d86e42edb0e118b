import { defaultCapabilities } from './capabilities.ts';
import { type RootlessOptions, rootlessOptions, rootlessSpec } from './rootless.ts';
import type { DeviceRule, Mount, Namespace, RuntimeSpec } from './types.ts';

/** The specification version that our configurations name: old enough for every runtime in use. */
export const ociVersion = '1.0.2';

/** The search path of a process whose image sets none. */
export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Files of `/proc` and `/sys` that tell about the host and are hidden from containers. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/proc/scsi',
];

/** Files of `/proc` that change the host and are read-only in containers. */
export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** The file systems that `config-linux.md`, "Default Filesystems", asks for, and the usual ones beside them. */
export function defaultMounts(): Mount[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    {
      destination: '/dev/mqueue',
      type: 'mqueue',
      source: 'mqueue',
      options: ['nosuid', 'noexec', 'nodev'],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', 'ro'],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
    },
  ];
}

function defaultNamespaces(): Namespace[] {
  return [
    { type: 'pid' },
    { type: 'network' },
    { type: 'ipc' },
    { type: 'uts' },
    { type: 'mount' },
    { type: 'cgroup' },
  ];
}

function defaultDeviceRules(): DeviceRule[] {
  return [{ allow: false, access: 'rwm' }];
}

/** Options of {@link defaultSpec}. */
export interface DefaultSpecOptions {
  /** For an ordinary user: a user namespace, the host's network, no limits; `true` maps the caller alone. */
  readonly rootless?: boolean | RootlessOptions;
}

/**
 * A `config.json` to start from, as `runc spec` prints: a shell on a terminal, in its own namespaces, on a
 * read-only `rootfs`, with few capabilities. The caller owns the result and may change it.
 */
export function defaultSpec(options: DefaultSpecOptions = {}): RuntimeSpec {
  const spec: RuntimeSpec = {
    ociVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: [defaultPath, 'TERM=xterm'],
      cwd: '/',
      capabilities: defaultCapabilities(),
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'oci',
    mounts: defaultMounts(),
    linux: {
      resources: { devices: defaultDeviceRules() },
      namespaces: defaultNamespaces(),
      maskedPaths: [...defaultMaskedPaths],
      readonlyPaths: [...defaultReadonlyPaths],
    },
  };
  const rootless = rootlessOptions(options.rootless);
  return rootless === undefined ? spec : rootlessSpec(spec, rootless);
}

import type { Mount, RuntimeSpec } from '@ocijs/bundle';
import { parseNameValues } from '../flags/name-value.ts';
import type { DeviceEdits } from './devices.ts';
import type { RunFlagValues } from './flags.ts';
import { parseSize, parseUlimit, resourceLimits } from './limits.ts';
import { addMounts, bindMount, parseMount, parseTmpfs, parseVolume } from './mounts.ts';
import { type Placements, placeNamespaces } from './namespaces.ts';
import { parseSecurityOptions } from './security.ts';

/** What was looked up for the edits, so that they themselves are a pure function. */
export interface SpecFacts {
  /** Undefined where the host's name is shared. */
  readonly hostname: string | undefined;
  readonly rootless: boolean;
  readonly devices: DeviceEdits;
  /** Files such as `/etc/hosts` that every container gets. */
  readonly files: readonly Mount[];
  /** Namespaces that are not the container's own. */
  readonly placements: Placements;
  /** The numbers of `--group-add`. */
  readonly groups?: readonly number[];
  /** Rows and columns of our terminal. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
}

/**
 * Applies the flags of `run` to the configuration that the image gave. Throws ERR_OCI_USAGE for flag values that make
 * no sense.
 */
export function applyRunFlags(spec: RuntimeSpec, flags: RunFlagValues, facts: SpecFacts): RuntimeSpec {
  const { hostname: _, ...rest } = spec;
  const edited: RuntimeSpec = {
    ...rest,
    ...(facts.hostname === undefined ? {} : { hostname: facts.hostname }),
    ...(flags.domainname === undefined ? {} : { domainname: flags.domainname }),
    root: { path: spec.root?.path ?? 'rootfs', readonly: flags['read-only'] },
    mounts: editedMounts(spec, flags, facts),
    linux: editedLinux(spec, flags, facts),
  };
  if (spec.process !== undefined) edited.process = editedProcess(spec.process, flags, facts);
  return edited;
}

function editedProcess(
  process: NonNullable<RuntimeSpec['process']>,
  flags: RunFlagValues,
  { consoleSize, groups = [] }: SpecFacts,
): NonNullable<RuntimeSpec['process']> {
  const { noNewPrivileges, apparmor } = parseSecurityOptions(flags['security-opt'] ?? []);
  const score = flags['oom-score-adj'];
  const additionalGids = [...new Set([...(process.user?.additionalGids ?? []), ...groups])];
  return {
    ...process,
    ...(groups.length === 0 ? {} : { user: { ...process.user, additionalGids } }),
    terminal: flags.tty,
    ...(flags.tty && consoleSize !== undefined ? { consoleSize: { ...consoleSize } } : {}),
    noNewPrivileges,
    ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
    ...(score === undefined ? {} : { oomScoreAdj: score }),
    // Limits of processes are inherited from us unless asked otherwise, as from Docker's daemon.
    rlimits: (flags.ulimit ?? []).map(parseUlimit),
  };
}

function editedMounts(spec: RuntimeSpec, flags: RunFlagValues, facts: SpecFacts): Mount[] {
  const asked = [
    ...(flags.tmpfs ?? []).map(parseTmpfs),
    ...(flags.mount ?? []).map((text) => parseMount(text)),
    ...(flags.volume ?? []).map((text) => parseVolume(text)),
    ...facts.devices.mounts,
  ].sort((left, right) => depth(left) - depth(right));
  const base = (spec.mounts ?? [])
    .map((mount) => (flags.privileged ? writableKernelMount(mount) : mount))
    .map((mount) => (mount.destination === '/dev/shm' ? sharedMemory(mount, flags, facts) : mount));
  return addMounts(addMounts(base, facts.files), asked);
}

function sharedMemory(mount: Mount, flags: RunFlagValues, { placements }: SpecFacts): Mount {
  if (placements.ipc === 'host')
    return bindMount({ source: '/dev/shm', destination: '/dev/shm', options: [] });
  const size = flags['shm-size'];
  if (size === undefined) return mount;
  const options = (mount.options ?? []).filter((option) => !option.startsWith('size='));
  return { ...mount, options: [...options, `size=${parseSize('shm-size', size)}`] };
}

/** Parents are mounted before what is mounted below them. */
function depth({ destination }: Mount): number {
  return destination.split('/').filter((part) => part !== '').length;
}

function writableKernelMount(mount: Mount): Mount {
  if (mount.destination !== '/sys' && mount.destination !== '/sys/fs/cgroup') return mount;
  return { ...mount, options: (mount.options ?? []).map((option) => (option === 'ro' ? 'rw' : option)) };
}

function editedLinux(
  spec: RuntimeSpec,
  flags: RunFlagValues,
  { devices, placements }: SpecFacts,
): NonNullable<RuntimeSpec['linux']> {
  const { maskedPaths = [], readonlyPaths = [], resources, ...linux } = spec.linux ?? {};
  const limits = resourceLimits(flags);
  const rules = flags.privileged
    ? [{ allow: true, access: 'rwm' }]
    : [...(resources?.devices ?? []), ...devices.rules];
  const sysctl = parseNameValues(flags.sysctl ?? [], '--sysctl');
  const { unmasked = false } = parseSecurityOptions(flags['security-opt'] ?? []);
  const isOpen = flags.privileged || unmasked;
  return {
    ...linux,
    namespaces: placeNamespaces(linux.namespaces ?? [], placements) ?? [],
    devices: [...(linux.devices ?? []), ...devices.devices],
    maskedPaths: isOpen ? [] : maskedPaths,
    readonlyPaths: isOpen ? [] : readonlyPaths,
    ...(sysctl === undefined ? {} : { sysctl: { ...linux.sysctl, ...sysctl } }),
    // A configuration without limits works where no cgroup can be made, as for most ordinary users.
    ...(resources === undefined && Object.keys(limits).length === 0
      ? {}
      : {
          resources: {
            ...resources,
            ...limits,
            ...(resources?.devices === undefined ? {} : { devices: rules }),
          },
        }),
  };
}

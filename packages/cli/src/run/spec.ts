import type { Mount, RuntimeSpec } from '@ocijs/bundle';
import type { DeviceEdits } from './devices.ts';
import type { RunFlagValues } from './flags.ts';
import { parseUlimit, resourceLimits } from './limits.ts';
import { addMounts, parseMount, parseTmpfs, parseVolume } from './mounts.ts';
import { parseSecurityOptions } from './security.ts';

/** What was looked up for the edits, so that they themselves are a pure function. */
export interface SpecFacts {
  readonly hostname: string;
  readonly rootless: boolean;
  readonly devices: DeviceEdits;
  /** Files such as `/etc/hosts` that every container gets. */
  readonly files: readonly Mount[];
  /** Rows and columns of our terminal. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
}

/**
 * Applies the flags of `run` to the configuration that the image gave. Throws ERR_OCI_USAGE for flag values that make
 * no sense.
 */
export function applyRunFlags(spec: RuntimeSpec, flags: RunFlagValues, facts: SpecFacts): RuntimeSpec {
  const { noNewPrivileges } = parseSecurityOptions(flags['security-opt'] ?? []);
  const edited: RuntimeSpec = {
    ...spec,
    hostname: facts.hostname,
    root: { path: spec.root?.path ?? 'rootfs', readonly: flags['read-only'] },
    mounts: editedMounts(spec, flags, facts),
    linux: editedLinux(spec, flags, facts),
  };
  if (spec.process !== undefined) {
    edited.process = {
      ...spec.process,
      terminal: flags.tty,
      ...(flags.tty && facts.consoleSize !== undefined ? { consoleSize: { ...facts.consoleSize } } : {}),
      noNewPrivileges,
      // Limits of processes are inherited from us unless asked otherwise, as from Docker's daemon.
      rlimits: (flags.ulimit ?? []).map(parseUlimit),
    };
  }
  return edited;
}

function editedMounts(spec: RuntimeSpec, flags: RunFlagValues, facts: SpecFacts): Mount[] {
  const asked = [
    ...(flags.tmpfs ?? []).map(parseTmpfs),
    ...(flags.mount ?? []).map((text) => parseMount(text).mount),
    ...(flags.volume ?? []).map((text) => parseVolume(text).mount),
    ...facts.devices.mounts,
  ].sort((left, right) => depth(left) - depth(right));
  const base = flags.privileged ? (spec.mounts ?? []).map(writableKernelMount) : (spec.mounts ?? []);
  return addMounts(addMounts(base, facts.files), asked);
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
  { devices }: SpecFacts,
): NonNullable<RuntimeSpec['linux']> {
  const { maskedPaths = [], readonlyPaths = [], resources, ...linux } = spec.linux ?? {};
  const limits = resourceLimits(flags);
  const rules = flags.privileged
    ? [{ allow: true, access: 'rwm' }]
    : [...(resources?.devices ?? []), ...devices.rules];
  const isHostNetwork = flags.network === 'host';
  return {
    ...linux,
    namespaces: (linux.namespaces ?? []).filter(({ type }) => type !== 'network' || !isHostNetwork),
    devices: [...(linux.devices ?? []), ...devices.devices],
    maskedPaths: flags.privileged ? [] : maskedPaths,
    readonlyPaths: flags.privileged ? [] : readonlyPaths,
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

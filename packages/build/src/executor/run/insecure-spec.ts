import { readFileSync } from 'node:fs';
import { linuxCapabilities, type Mount, type RuntimeSpec } from '@ocijs/bundle';

/** What `--security=insecure` gives: all that this process has itself, and nothing of the kernel hidden or read-only. */
export function insecureSpec(spec: RuntimeSpec): RuntimeSpec {
  const capabilities = grantable();
  const { seccomp: _seccomp, maskedPaths: _masked, readonlyPaths: _readonly, ...linux } = spec.linux ?? {};
  return {
    ...spec,
    mounts: (spec.mounts ?? []).map(writable),
    process: {
      ...spec.process,
      cwd: spec.process?.cwd ?? '/',
      user: spec.process?.user ?? { uid: 0, gid: 0 },
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    linux: {
      ...linux,
      ...(linux.resources === undefined
        ? {}
        : { resources: { ...linux.resources, devices: [{ allow: true, access: 'rwm' }] } }),
    },
  };
}

/** File systems of the kernel; what is bound keeps what was asked for. */
function writable(mount: Mount): Mount {
  if (mount.type !== 'sysfs' && mount.type !== 'cgroup') return mount;
  return { ...mount, options: (mount.options ?? []).filter((option) => option !== 'ro') };
}

/** Nothing beyond the bounding set can be given to a child. */
function grantable(): string[] {
  const [, bits = '0'] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const set = BigInt(`0x${bits}`);
  return linuxCapabilities.filter((_, number) => ((set >> BigInt(number)) & 1n) === 1n);
}

import { release } from 'node:os';
import type { Check } from './check.ts';

const cgroup2Magic = 0x63677270;

/** `[major, minor]` of a kernel release such as `6.1.0-18-amd64`. */
export function kernelVersion(text: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}

function isAtLeast([major, minor]: readonly [number, number], wanted: readonly [number, number]): boolean {
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

export const platformCheck: Check = async () => {
  const found = `${process.platform} ${process.arch}`;
  if (process.platform === 'linux') return { name: 'platform', verdict: 'ok', found };
  return {
    name: 'platform',
    verdict: 'limited',
    found,
    remedy: 'pull, push, inspect, validate and serve work here; unpack and run need Linux',
  };
};

export const kernelCheck: Check = async () => {
  const found = release();
  if (isAtLeast(kernelVersion(found), [5, 12])) return { name: 'kernel', verdict: 'ok', found };
  return {
    name: 'kernel',
    verdict: 'limited',
    found,
    remedy: 'Linux 5.12 or later has all that containers can use',
  };
};

export const openat2Check: Check = async () => {
  const isThere = isAtLeast(kernelVersion(release()), [5, 6]);
  if (isThere) return { name: 'openat2', verdict: 'ok', found: 'in this kernel' };
  return {
    name: 'openat2',
    verdict: 'limited',
    found: 'not in this kernel',
    remedy: 'unpacking walks paths step by step instead, which is slower; Linux 5.6 has it',
  };
};

export const cgroupCheck: Check = async (host) => {
  const type = await host.fileSystemType('/sys/fs/cgroup');
  const name = 'cgroups';
  if (type === undefined) {
    return { name, verdict: 'missing', found: 'not mounted', remedy: 'mount cgroup2 on /sys/fs/cgroup' };
  }
  if (type !== cgroup2Magic) {
    const remedy =
      'ordinary users cannot limit memory, cpu and processes; boot with systemd.unified_cgroup_hierarchy=1';
    return host.isRoot
      ? { name, verdict: 'ok', found: 'version 1' }
      : { name, verdict: 'limited', found: 'version 1', remedy };
  }
  const path = /^0::(.*)$/m.exec((await host.read('/proc/self/cgroup')) ?? '')?.[1] ?? '/';
  const controllers =
    (await host.read(`/sys/fs/cgroup${path === '/' ? '' : path}/cgroup.controllers`))?.trim() ?? '';
  const missing = ['cpu', 'memory', 'pids'].filter(
    (controller) => !controllers.split(' ').includes(controller),
  );
  const found = `version 2, controllers: ${controllers || 'none'}`;
  if (missing.length === 0) return { name, verdict: 'ok', found };
  const remedy = `no limits for ${missing.join(', ')} here; delegate the controllers (systemd: Delegate=yes)`;
  return { name, verdict: 'limited', found, remedy };
};

import assert from 'node:assert/strict';
import { readlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NamespaceType } from '@ocijs/bundle/spec';
import { command } from '../../../kit/command.ts';
import { inSection, type Requirement } from '../requirement.ts';
import { type Subject, succeeded, type TestSpec } from '../subject.ts';

type Change = (spec: TestSpec) => void;

const files: Readonly<Record<string, string>> = { mount: 'mnt', network: 'net', user: 'user', time: 'time' };

function fileOf(type: NamespaceType): string {
  return files[type] ?? type;
}

function withNamespace(type: NamespaceType, path?: string): Change {
  return (spec) => {
    const others = spec.linux.namespaces?.filter((namespace) => namespace.type !== type) ?? [];
    spec.linux.namespaces = [...others, { type, ...(path !== undefined && { path }) }];
  };
}

function without(type: NamespaceType): Change {
  return (spec) => {
    spec.linux.namespaces = (spec.linux.namespaces ?? []).filter((namespace) => namespace.type !== type);
    if (type === 'uts') Reflect.deleteProperty(spec, 'hostname');
    if (type === 'network')
      spec.mounts = spec.mounts.filter((mount) => Reflect.get(mount, 'type') !== 'sysfs');
  };
}

async function namespaceOf(subject: Subject, type: NamespaceType, change: Change): Promise<string> {
  const container = await subject.container({ change });
  succeeded(await container.create());
  return await readlink(`/proc/${(await container.state())['pid']}/ns/${fileOf(type)}`);
}

/** Words for a shell; none of ours has a quote in it. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

const created: readonly NamespaceType[] = ['pid', 'network', 'mount', 'ipc', 'uts', 'cgroup', 'time'];

const mapped: Change = (spec) => {
  withNamespace('user')(spec);
  const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];
  Object.assign(spec.linux, { uidMappings: mapping, gidMappings: mapping });
};

const namespaces = inSection('config-linux.md: Namespaces', [
  ...created.map((type) => ({
    id: `namespace-new-${type}`,
    title: `a container gets a ${type} namespace of its own`,
    level: type === 'time' ? ('SHOULD' as const) : ('MUST' as const),
    async check(subject: Subject) {
      const own = await readlink(`/proc/self/ns/${fileOf(type)}`);
      assert.notEqual(await namespaceOf(subject, type, withNamespace(type)), own);
    },
  })),
  ...created
    .filter((type) => type !== 'mount')
    .map((type) => ({
      id: `namespace-inherited-${type}`,
      title: `without a ${type} namespace in its list a container is in that of the runtime`,
      async check(subject: Subject) {
        const own = await readlink(`/proc/self/ns/${fileOf(type)}`);
        assert.equal(await namespaceOf(subject, type, without(type)), own);
      },
    })),
  {
    id: 'namespace-inherited-mount',
    title: 'without a mount namespace in its list a container is in that of the runtime',
    async check(subject) {
      const container = await subject.container({
        change: (spec) => {
          without('mount')(spec);
          spec.mounts = spec.mounts.filter((mount) => Reflect.get(mount, 'type') === 'proc');
          spec.linux.maskedPaths = [];
          spec.linux.readonlyPaths = [];
        },
      });
      // The runtime gets a namespace that is nobody else's: what it does to it goes with it.
      const call = [...subject.program, '--root', `${container.directory}/state`];
      const script = `readlink /proc/self/ns/mnt
        ${quoted([...call, 'create', '--bundle', container.directory, container.id])} </dev/null >/dev/null || exit
        readlink /proc/$(${quoted([...call, 'state', container.id])} | busybox sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p')/ns/mnt
        ${quoted([...call, 'delete', '--force', container.id])}`;
      const { stdout, status, stderr } = await command('unshare', ['--mount', 'sh', '-c', script]);
      assert.equal(status, 0, stderr);
      const [own, its] = stdout.split('\n');
      assert.equal(its, own);
    },
  },
  {
    id: 'namespace-joined',
    title: 'a namespace that is given by its path is joined',
    async check(subject) {
      const first = await subject.container();
      await first.begin();
      const { pid } = await first.state();
      for (const type of ['network', 'ipc', 'uts', 'pid'] as const) {
        const path = `/proc/${pid}/ns/${fileOf(type)}`;
        const change: Change = (spec) => {
          withNamespace(type, path)(spec);
          if (type === 'uts') Reflect.deleteProperty(spec, 'hostname');
        };
        assert.equal(await namespaceOf(subject, type, change), await readlink(path), type);
      }
    },
  },
  {
    id: 'namespace-wrong-type',
    title: 'a path to a namespace of another type is an error',
    check: async (subject) =>
      void (await subject.refuses({ change: withNamespace('ipc', `/proc/${process.pid}/ns/uts`) })),
  },
  {
    id: 'namespace-no-namespace',
    title: 'a path to something else is an error',
    async check(subject) {
      await subject.refuses({ change: withNamespace('ipc', '/etc/passwd') });
      await subject.refuses({ change: withNamespace('ipc', '/none/such') });
    },
  },
  {
    id: 'namespace-relative',
    title: 'a path that is not absolute is an error',
    check: async (subject) => void (await subject.refuses({ change: withNamespace('ipc', 'ns/ipc') })),
  },
  {
    id: 'namespace-twice',
    title: 'a type that is listed twice is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => void spec.linux.namespaces?.push({ type: 'pid' }),
      })),
  },
  {
    id: 'namespace-unknown',
    title: 'a type that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => void spec.linux.namespaces?.push({ type: 'unheard-of' as NamespaceType }),
      })),
  },
  {
    id: 'user-mappings',
    title: 'ids are mapped as the configuration says',
    async check(subject) {
      const container = await subject.container({
        change: mapped,
        args: ['cat', '/proc/self/uid_map', '/proc/self/gid_map'],
      });
      const { chmod } = await import('node:fs/promises');
      for (const path of [container.directory, dirname(container.directory)]) await chmod(path, 0o755);
      const lines = succeeded(await container.run())
        .stdout.trim()
        .split('\n');
      assert.deepEqual(
        lines.map((line) => line.trim().split(/\s+/).join(' ')),
        ['0 100000 65536', '0 100000 65536'],
      );
    },
  },
  {
    id: 'user-mappings-missing',
    title: 'a user namespace without mappings is an error',
    check: async (subject) => void (await subject.refuses({ change: withNamespace('user') })),
  },
  {
    id: 'time-offsets',
    level: 'SHOULD',
    title: 'the clocks of a time namespace are set forward',
    async check(subject) {
      const change: Change = (spec) => {
        withNamespace('time')(spec);
        spec.linux.timeOffsets = { boottime: { secs: 1_000_000_000 } };
      };
      const uptime = await subject.output({ args: ['cat', '/proc/uptime'], change });
      assert.ok(Number.parseFloat(uptime) >= 1_000_000_000, uptime);
    },
  },
  {
    id: 'hostname',
    title: 'the host name is set in the container, and only there',
    async check(subject) {
      const change: Change = (spec) => {
        spec.hostname = 'conformance-host';
      };
      assert.equal(await subject.output({ args: ['hostname'], change }), 'conformance-host\n');
      const { hostname } = await import('node:os');
      assert.notEqual(hostname(), 'conformance-host');
    },
  },
  {
    id: 'hostname-shared',
    title: 'a host name without a uts namespace of its own is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          without('uts')(spec);
          spec.hostname = 'conformance-host';
        },
      })),
  },
  {
    id: 'domainname',
    title: 'the domain name is set',
    async check(subject) {
      const change: Change = (spec) => {
        spec.domainname = 'conformance.example';
      };
      const args = ['cat', '/proc/sys/kernel/domainname'];
      assert.equal(await subject.output({ args, change }), 'conformance.example\n');
    },
  },
]);

const filesystems = inSection('config-linux.md: Default Filesystems', [
  {
    id: 'filesystems',
    level: 'SHOULD',
    title: '/proc, /sys, /dev/pts and /dev/shm are there',
    async check(subject) {
      const text = await subject.output({ args: ['cat', '/proc/self/mountinfo'] });
      for (const path of ['/proc', '/sys', '/dev/pts', '/dev/shm'])
        assert.ok(text.includes(` ${path} `), path);
    },
  },
  {
    id: 'devices-default',
    title: 'null, zero, full, random, urandom, tty and ptmx are there',
    async check(subject) {
      const script = `for d in null zero full random urandom tty; do test -c /dev/$d || echo $d; done
        test -e /dev/ptmx || echo ptmx; echo x >/dev/null && busybox head -c 4 /dev/zero | busybox od -An -tx1`;
      assert.equal((await subject.output({ script })).trim(), '00 00 00 00');
    },
  },
  {
    id: 'dev-links',
    title: '/dev/fd, stdin, stdout and stderr are links to the process (runtime-linux.md)',
    async check(subject) {
      const script = 'for l in fd stdin stdout stderr; do busybox readlink /dev/$l; done';
      assert.equal(
        await subject.output({ script }),
        '/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n',
      );
    },
  },
  {
    id: 'standard-streams',
    title: 'the process has its three streams and no other descriptor (runtime-linux.md)',
    async check(subject) {
      assert.equal(await subject.output({ script: 'cd /proc/self/fd; echo *' }), '0 1 2 3\n');
    },
  },
]);

const fifo = { path: '/dev/fifo', type: 'p', fileMode: 0o640, uid: 7, gid: 8 } as const;
const device = {
  path: '/dev/other-null',
  type: 'c',
  major: 1,
  minor: 3,
  fileMode: 0o604,
  uid: 1,
  gid: 2,
} as const;

const devices = inSection('config-linux.md: Devices', [
  {
    id: 'devices-made',
    title: 'listed devices are made, with their numbers, mode and owner',
    async check(subject) {
      const change: Change = (spec) => {
        spec.linux.devices = [device, fifo];
      };
      const script = "busybox stat -c '%F %t:%T %a %u %g' /dev/other-null /dev/fifo";
      assert.equal(
        await subject.output({ script, change }),
        'character special file 1:3 604 1 2\nfifo 0:0 640 7 8\n',
      );
    },
  },
  {
    id: 'devices-other-file',
    title: 'another file in the place of a device is an error',
    async check(subject) {
      await subject.refuses({
        prepare: (rootfs) => writeFile(`${rootfs}/tmp/device`, 'file'),
        change: (spec) => {
          spec.linux.devices = [{ ...device, path: '/tmp/device' }];
        },
      });
    },
  },
  {
    id: 'devices-type',
    title: 'a type of device that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.linux.devices = [{ ...device, type: 'x' as 'c' }];
        },
      })),
  },
]);

const paths = inSection('config-linux.md: Masked Paths, Readonly Paths, Rootfs Mount Propagation', [
  {
    id: 'masked-paths',
    title: 'masked files and directories cannot be read',
    async check(subject) {
      const change: Change = (spec) => {
        spec.linux.maskedPaths = ['/etc/passwd', '/bin/missing', '/root'];
      };
      const script = 'cat /etc/passwd; ls /root; echo done';
      const prepare = (rootfs: string): Promise<void> => writeFile(`${rootfs}/root/secret`, 'secret');
      assert.equal(await subject.output({ script, change, prepare }), 'done\n');
    },
  },
  {
    id: 'readonly-paths',
    title: 'read-only paths cannot be written',
    async check(subject) {
      const change: Change = (spec) => {
        spec.linux.readonlyPaths = ['/tmp', '/missing'];
      };
      const script = 'busybox touch /tmp/x 2>/dev/null && echo written || echo denied';
      assert.equal(await subject.output({ script, change }), 'denied\n');
    },
  },
  ...(['shared', 'slave', 'private', 'unbindable'] as const).map((propagation) => ({
    id: `rootfs-propagation-${propagation}`,
    title: `with rootfsPropagation ${propagation} the root mount is ${propagation}`,
    async check(subject: Subject) {
      const change: Change = (spec) => {
        spec.linux.rootfsPropagation = propagation;
      };
      const text = await subject.output({ args: ['cat', '/proc/self/mountinfo'], change });
      const line = text.split('\n').find((each) => each.split(' ')[4] === '/') ?? '';
      assert.equal(/ shared:/.test(line), propagation === 'shared', line);
      assert.equal(/ unbindable /.test(line), propagation === 'unbindable', line);
    },
  })),
  {
    id: 'rootfs-propagation-unknown',
    title: 'a propagation that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => void Reflect.set(spec.linux, 'rootfsPropagation', 'unheard-of'),
      })),
  },
]);

const kernel = inSection('config-linux.md: Sysctl, Personality, Memory policy, IntelRdt', [
  {
    id: 'sysctl',
    title: 'kernel parameters of own namespaces are set',
    async check(subject) {
      const change: Change = (spec) => {
        spec.linux.sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.shm_rmid_forced': '1' };
      };
      const args = ['cat', '/proc/sys/net/ipv4/ip_forward', '/proc/sys/kernel/shm_rmid_forced'];
      assert.equal(await subject.output({ args, change }), '1\n1\n');
    },
  },
  {
    id: 'sysctl-host',
    level: 'runc',
    title: 'a parameter of the whole host is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) => {
          spec.linux.sysctl = { 'kernel.core_pattern': '|/bin/false' };
        },
      })),
  },
  {
    id: 'personality',
    level: 'SHOULD',
    title: 'the execution domain is set',
    async check(subject) {
      const change: Change = (spec) => {
        spec.linux.personality = { domain: 'LINUX32' };
      };
      assert.equal(await subject.output({ args: ['busybox', 'uname', '-m'], change }), 'i686\n');
    },
  },
  {
    id: 'intel-rdt-missing',
    title: 'intelRdt without a mounted resctrl is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) =>
          void Reflect.set(spec.linux, 'intelRdt', { closID: 'conformance', l3CacheSchema: 'L3:0=f' }),
      })),
  },
  {
    id: 'memory-policy-unknown',
    title: 'a memory policy that is none is an error',
    check: async (subject) =>
      void (await subject.refuses({
        change: (spec) =>
          void Reflect.set(spec.linux, 'memoryPolicy', { mode: 'MPOL_UNHEARD_OF', nodes: '0' }),
      })),
  },
  {
    id: 'memory-policy',
    title: 'the memory policy is set',
    async check(subject) {
      const change: Change = (spec) =>
        void Reflect.set(spec.linux, 'memoryPolicy', { mode: 'MPOL_BIND', nodes: '0' });
      assert.match(await subject.output({ args: ['cat', '/proc/self/numa_maps'], change }), / bind:0 /);
    },
  },
]);

export const linux: readonly Requirement[] = [...namespaces, ...filesystems, ...devices, ...paths, ...kernel];

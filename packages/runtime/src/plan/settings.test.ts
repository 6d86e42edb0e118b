import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Linux, Process } from '@ocijs/bundle/spec';
import { capabilityMasks, capabilityWarnings, everyCapability } from './capabilities.ts';
import { executableCandidates } from './process.ts';
import { fieldsOf, planSpec, stepsFor } from './testing/input.ts';

function withProcess(change: Partial<Process>): ReturnType<typeof stepsFor> {
  return stepsFor(planSpec({ process: { user: { uid: 0, gid: 0 }, cwd: '/', args: ['x'], ...change } }));
}

function withLinux(change: Linux): ReturnType<typeof stepsFor> {
  const namespaces = [{ type: 'mount' as const }, { type: 'network' as const }, { type: 'ipc' as const }];
  return stepsFor(planSpec({ linux: { namespaces, ...change } }));
}

const conflict = { code: 'ERR_OCI_SPEC_CONFLICT' };

test('capabilities are bits, and ambient ones only where they can be', () => {
  const all = ['CAP_CHOWN', 'CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE'];
  const masks = capabilityMasks({ bounding: all, permitted: all, inheritable: ['CAP_CHOWN'], ambient: all });
  assert.equal(masks.bounding, 1n | (1n << 21n) | (1n << 40n));
  assert.equal(masks.ambient, 1n);
  assert.equal(masks.effective, 0n);
});

for (const name of ['CAP_UNKNOWN', 'SYS_ADMIN', 'cap_chown', 'CAP_']) {
  test(`${name} is no capability: a warning, and nothing is given`, () => {
    assert.equal(capabilityMasks({ bounding: [name] }).bounding, 0n);
    assert.deepEqual(capabilityWarnings({ bounding: [name], permitted: [name] }, everyCapability), [
      `ignoring unknown or unavailable capabilities: ${name}`,
    ]);
  });
}

test('what the creator lacks is left out, as is what cannot be ambient; both are said', () => {
  const kill = 1n << 5n;
  const given = {
    permitted: ['CAP_CHOWN', 'CAP_KILL'],
    inheritable: ['CAP_KILL'],
    ambient: ['CAP_KILL', 'CAP_CHOWN'],
  };
  assert.equal(capabilityMasks(given, kill).permitted, kill);
  assert.deepEqual(capabilityWarnings(given, kill), [
    'ignoring unknown or unavailable capabilities: CAP_CHOWN',
  ]);
  assert.deepEqual(capabilityWarnings(given, everyCapability), [
    "can't raise ambient capability CAP_CHOWN: it is not permitted and inheritable",
  ]);
});

test('a program without a slash is looked for in the PATH of the container', () => {
  assert.deepEqual(executableCandidates('x', ['PATH=/a', 'PATH=/b::/c/']), ['/b/x', 'x', '/c/x']);
  assert.deepEqual(executableCandidates('./x', ['PATH=/a']), ['./x']);
  assert.deepEqual(executableCandidates('x', []), ['/bin/x', '/usr/bin/x']);
});

test('resource limits have numbers and may be infinite', () => {
  const infinity = 2 ** 64;
  const steps = withProcess({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: infinity }] });
  assert.deepEqual(fieldsOf(steps, 'resourceLimit'), [{ number: 7, soft: 10, hard: 2n ** 64n - 1n }]);
});

test('unknown and repeated resource limits are refused', () => {
  assert.throws(() => withProcess({ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }), conflict);
  const twice = { type: 'RLIMIT_CPU', soft: 1, hard: 1 };
  assert.throws(() => withProcess({ rlimits: [twice, twice] }), conflict);
});

test('kernel parameters of namespaces are written below /proc/sys', () => {
  const steps = withLinux({
    sysctl: { 'net.ipv4.conf.eth0/1.x': '1', 'net/ipv4/ip_forward': '1', 'kernel.sem': '1 2' },
  });
  assert.deepEqual(
    fieldsOf(steps, 'writeProc').map(({ path }) => path),
    ['sys/net/ipv4/conf/eth0.1/x', 'sys/net/ipv4/ip_forward', 'sys/kernel/sem'],
  );
});

for (const key of [
  'kernel.core_pattern',
  'net.ipv4/../../kernel/core_pattern',
  'net//x',
  'kernel.hostname',
  'vm.x',
  'net/../kernel/x',
]) {
  test(`the kernel parameter ${key} is refused`, () => {
    assert.throws(() => withLinux({ sysctl: { [key]: '1' } }), conflict);
  });
}

test('a kernel parameter needs an own namespace', () => {
  const namespaces = [{ type: 'mount' as const }];
  assert.throws(() => withLinux({ namespaces, sysctl: { 'net.ipv4.ip_forward': '1' } }), conflict);
});

test('scheduling, priorities and memory policy become what the kernel takes', () => {
  const steps = withProcess({
    scheduler: { policy: 'SCHED_FIFO', priority: 10, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
  });
  const bytes = Buffer.from(String(fieldsOf(steps, 'scheduler')[0]?.['bytes']), 'hex');
  assert.deepEqual(
    [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes[8], bytes.readInt32LE(20)],
    [48, 1, 1, 10],
  );
  assert.deepEqual(fieldsOf(steps, 'ioPriority'), [{ number: (2 << 13) | 4 }]);
  const policy = withLinux({
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1,9', flags: ['MPOL_F_STATIC_NODES'] },
  });
  assert.deepEqual(fieldsOf(policy, 'memoryPolicy'), [{ number: 2 | (1 << 15), bytes: '0302' }]);
});

test('devices replace default ones of the same path', () => {
  const steps = withLinux({
    devices: [
      { type: 'c', path: '/dev/tty', major: 4, minor: 300, fileMode: 0o600, uid: 1, gid: 2 },
      { type: 'p', path: '/dev/fifo' },
    ],
  });
  const devices = fieldsOf(steps, 'device');
  assert.equal(devices.length, 7);
  assert.deepEqual(devices[5], {
    path: '/dev/tty',
    source: '/dev/tty',
    mode: 0o020600,
    major: 4,
    minor: 300,
    uid: 1,
    gid: 2,
    flags: 0,
  });
  assert.equal(devices[6]?.['mode'], 0o010666);
});

test('nothing is put into a /dev of the host', () => {
  const mounts = [{ destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }];
  assert.deepEqual(fieldsOf(stepsFor(planSpec({ mounts })), 'device'), []);
});

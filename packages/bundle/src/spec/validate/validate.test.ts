import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSpec } from '../defaults.ts';
import { validateSpec } from './validate.ts';

/** A valid configuration with one value set at a path such as `process.cwd`. */
function changed(path: string, value: unknown): unknown {
  const spec = structuredClone(defaultSpec()) as unknown as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() as string;
  let target = spec;
  for (const name of names) {
    target[name] ??= {};
    target = target[name] as Record<string, unknown>;
  }
  target[last] = value;
  return spec;
}

const invalid: readonly (readonly [string, unknown, string])[] = [
  ['ociVersion', '1', '$.ociVersion'],
  ['ociVersion', undefined, '$.ociVersion'],
  ['root.path', 5, '$.root.path'],
  ['root.path', '', '$.root.path'],
  ['root.readonly', 'yes', '$.root.readonly'],
  ['hostname', 'a\0b', '$.hostname'],
  ['process', [], '$.process'],
  ['process.cwd', 'x', '$.process.cwd'],
  ['process.cwd', undefined, '$.process.cwd'],
  ['process.args', 'sh', '$.process.args'],
  ['process.args', ['sh', 1], '$.process.args[1]'],
  ['process.env', ['=x'], '$.process.env[0]'],
  ['process.env', ['A=1', 'B'], '$.process.env[1]'],
  ['process.user.uid', 4294967295, '$.process.user.uid'],
  ['process.user.uid', -1, '$.process.user.uid'],
  ['process.user.gid', 1.5, '$.process.user.gid'],
  ['process.user.additionalGids', [4294967296], '$.process.user.additionalGids[0]'],
  ['process.capabilities.bounding', [1], '$.process.capabilities.bounding[0]'],
  ['process.rlimits', [{ type: 'NOFILE', soft: 1, hard: 1 }], '$.process.rlimits[0].type'],
  ['process.rlimits', [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }], '$.process.rlimits[0].soft'],
  [
    'process.rlimits',
    [
      { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
      { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
    ],
    '$.process.rlimits[1].type',
  ],
  ['process.oomScoreAdj', 1001, '$.process.oomScoreAdj'],
  ['process.consoleSize', { height: 1 }, '$.process.consoleSize.width'],
  ['process.scheduler', { policy: 'SCHED_X' }, '$.process.scheduler.policy'],
  ['mounts', [{ destination: '' }], '$.mounts[0].destination'],
  ['mounts', [{ destination: '/a', options: [1] }], '$.mounts[0].options[0]'],
  ['hooks', { poststop: [{ path: 'rel' }] }, '$.hooks.poststop[0].path'],
  ['hooks', { prestart: [{ path: '/x', timeout: 0 }] }, '$.hooks.prestart[0].timeout'],
  ['annotations', { a: 1 }, '$.annotations.a'],
  ['annotations', { '': 'x' }, '$.annotations[""]'],
  ['linux.namespaces', [{ type: 'mnt' }], '$.linux.namespaces[0].type'],
  ['linux.namespaces', [{ type: 'pid' }, { type: 'pid', path: '/x' }], '$.linux.namespaces[1].type'],
  ['linux.namespaces', [{ type: 'pid', path: 'x' }], '$.linux.namespaces[0].path'],
  ['linux.uidMappings', [{ containerID: 0, hostID: 0, size: 0 }], '$.linux.uidMappings[0].size'],
  ['linux.devices', [{ type: 'c', path: '/dev/x', minor: 1 }], '$.linux.devices[0].major'],
  ['linux.devices', [{ type: 'x', path: '/dev/x', major: 1, minor: 1 }], '$.linux.devices[0].type'],
  ['linux.resources.devices', [{ access: 'r' }], '$.linux.resources.devices[0].allow'],
  ['linux.resources.devices', [{ allow: true, access: 'x' }], '$.linux.resources.devices[0].access'],
  ['linux.resources.pids', {}, '$.linux.resources.pids.limit'],
  ['linux.resources.memory', { limit: '5' }, '$.linux.resources.memory.limit'],
  ['linux.resources.unified', { '../x': '1' }, '$.linux.resources.unified["../x"]'],
  ['linux.resources.unified', { 'cgroup/procs.x': '1' }, '$.linux.resources.unified["cgroup/procs.x"]'],
  [
    'linux.resources.hugepageLimits',
    [{ pageSize: '64kB', limit: 1 }],
    '$.linux.resources.hugepageLimits[0].pageSize',
  ],
  ['linux.netDevices', { eth0: { name: 23 } }, '$.linux.netDevices.eth0.name'],
  ['linux.seccomp', { defaultAction: 'ALLOW' }, '$.linux.seccomp.defaultAction'],
  ['linux.sysctl', { 'a.b': 1 }, '$.linux.sysctl["a.b"]'],
  ['linux.maskedPaths', ['proc'], '$.linux.maskedPaths[0]'],
  ['linux.rootfsPropagation', 'up', '$.linux.rootfsPropagation'],
  ['linux.timeOffsets', { boottime: { nanosecs: 1e9 } }, '$.linux.timeOffsets.boottime.nanosecs'],
];

for (const [path, value, jsonPath] of invalid) {
  test(`${path} = ${JSON.stringify(value)} is a violation at ${jsonPath}`, () => {
    assert.deepEqual(
      validateSpec(changed(path, value)).map((violation) => violation.jsonPath),
      [jsonPath],
    );
  });
}

test('good configurations have no violation', () => {
  const good = [
    { ociVersion: '1.0.0', root: { path: 'rootfs' } },
    { ociVersion: '1.0.0', root: { path: 'rootfs' }, zos: {} },
    { ociVersion: '0.5.0-dev', process: { cwd: '/', user: { uid: 1, gid: 1 } } },
    { ociVersion: '1.3.0', root: { path: 'r' }, freebsd: {}, unknown: { x: [1] } },
    changed('linux.resources.rdma', { mlx5_1: { hcaHandles: 3 }, rxe3: { hcaObjects: 10000 } }),
    changed('process.rlimits', [{ type: 'RLIMIT_CORE', soft: 0, hard: 2 ** 64 }]),
    changed('linux.devices', [{ type: 'p', path: '/dev/fifo' }]),
    changed('linux.namespaces', [{ type: 'pid', path: '' }]),
  ];
  for (const spec of good) assert.deepEqual(validateSpec(spec), []);
});

test('what is no object at all is a violation', () => {
  for (const value of [null, [], 'x', 5, undefined]) assert.equal(validateSpec(value)[0]?.jsonPath, '$');
});

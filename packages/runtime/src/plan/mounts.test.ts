import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mount } from '@ocijs/bundle/spec';
import { decodePlan } from './decode.ts';
import { compileEditMountsPlan } from './edit-mounts.ts';
import { targetFlags } from './format.ts';
import { fieldsOf, planInput, planSpec, stepsFor } from './testing/input.ts';

const { likeSource, strict, proc, sourceProc, keep, mode } = targetFlags;

function mountSteps(...mounts: Mount[]): ReturnType<typeof stepsFor> {
  return stepsFor(planSpec({ mounts }));
}

test('a file system is made with its options and attached to its target', () => {
  const options = ['nosuid', 'strictatime', 'mode=755', 'newinstance'];
  const steps = mountSteps({ destination: '/dev/', type: 'tmpfs', source: 'tmpfs', options });
  assert.deepEqual(fieldsOf(steps, 'filesystem'), [
    { slot: 1, type: 'tmpfs', source: 'tmpfs', set: 0x22, key: ['mode', 'newinstance'], value: ['755', ''] },
  ]);
  assert.deepEqual(fieldsOf(steps, 'attach'), [{ slot: 1, path: '/dev', flags: likeSource }]);
});

test('a read-only tmpfs is writable until everything is in place', () => {
  const steps = mountSteps({ destination: '/run', type: 'tmpfs', options: ['ro', 'nodev'] });
  assert.equal(fieldsOf(steps, 'filesystem')[0]?.['set'], 4);
  assert.equal(fieldsOf(steps, 'attach')[0]?.['flags'], likeSource | keep | mode);
  const late = steps.findLastIndex(({ tag, fields }) => tag === 'mountAttributes' && fields['slot'] === 1);
  assert.deepEqual(steps[late]?.fields, { slot: 1, set: 1 });
  assert.ok(late > steps.findIndex(({ tag }) => tag === 'device'));
});

test('a bind mount is opened before the init turns away from the host', () => {
  const steps = mountSteps({
    destination: '/data',
    source: 'relative',
    options: ['rbind', 'ro', 'rprivate', 'mode=755'],
  });
  const open = steps.findIndex(
    ({ tag, fields }) => tag === 'openTree' && fields['path'] === '/bundle/relative',
  );
  assert.ok(open > 0 && open < steps.findIndex(({ tag }) => tag === 'root'));
  assert.deepEqual(steps[open]?.fields, { slot: 1, path: '/bundle/relative', flags: 0x8000 });
  assert.deepEqual(
    steps.slice(open + 1, open + 4).map(({ fields }) => fields),
    [
      { slot: 1, set: 1, clear: 0x200000 },
      { slot: 1, clear: 0xe, flags: 1 },
      { slot: 1, propagation: 0x40000, recursive: 1 },
    ],
  );
});

test("root opens the sources of another root's container itself", () => {
  const maps = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  const linux = {
    namespaces: [{ type: 'user' }, { type: 'mount' }] as const,
    uidMappings: maps,
    gidMappings: maps,
  };
  const spec = planSpec({
    mounts: [{ destination: '/data', type: 'bind', source: '/data' }],
    linux: { ...linux, namespaces: [...linux.namespaces] },
  });
  assert.deepEqual(
    stepsFor(spec)
      .filter(({ tag }) => tag === 'openTree')
      .map(({ section, fields }) => [section, fields['path']]),
    [
      ['host', '/bundle/rootfs'],
      ['host', '/data'],
    ],
  );
});

test('what is added to a running container with a user namespace is opened where it is locked', () => {
  const linux = { namespaces: [{ type: 'user' as const }, { type: 'mount' as const }] };
  const hostSteps = (mount: Mount): unknown[] => {
    const input = planInput(planSpec({ mounts: [mount], linux }));
    const target = { pid: 1, startTime: 2 };
    const { bytes } = compileEditMountsPlan({ ...input, action: 'add', target });
    return decodePlan(bytes)
      .steps.filter(({ section }) => section === 'host')
      .map(({ tag, fields }) => [tag, fields['flags']]);
  };
  const bind = hostSteps({ destination: '/data', type: 'bind', source: '/data', options: ['rbind'] });
  const open = bind.findIndex((step) => Array.isArray(step) && step[0] === 'openTree');
  assert.deepEqual(bind[open - 1], ['lockedView', 1]);
  assert.deepEqual(bind.at(-1), ['lockedView', 0]);
  assert.ok(!JSON.stringify(hostSteps({ destination: '/data', type: 'tmpfs' })).includes('lockedView'));
});

test('procfs and sysfs go to real directories only', () => {
  const steps = mountSteps({ destination: '/proc', type: 'proc' }, { destination: '/sys', type: 'sysfs' });
  assert.deepEqual(
    fieldsOf(steps, 'attach').map(({ flags }) => flags),
    [likeSource | strict | proc, likeSource | strict],
  );
  const bind = mountSteps({ destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] });
  assert.equal(fieldsOf(bind, 'attach')[0]?.['flags'], likeSource | strict | proc | sourceProc);
});

for (const mount of [
  { destination: '/', type: 'tmpfs' },
  { destination: '/proc', type: 'tmpfs' },
  { destination: '/x/../proc/', type: 'tmpfs' },
  { destination: '/proc/self/attr', type: 'tmpfs' },
  { destination: '//proc//sys/kernel', type: 'bind', source: '/tmp' },
  { destination: '/data', options: ['bind'] },
  { destination: '/data' },
] satisfies Mount[]) {
  test(`${JSON.stringify(mount)} is refused`, () => {
    assert.throws(() => mountSteps(mount), { code: 'ERR_OCI_SPEC_CONFLICT' });
  });
}

test('files that lxcfs provides can be laid over those of procfs', () => {
  const steps = mountSteps({
    destination: '/proc/meminfo',
    type: 'bind',
    source: '/lxcfs/meminfo',
    options: ['bind'],
  });
  assert.equal(fieldsOf(steps, 'attach')[0]?.['flags'], likeSource | strict | proc);
});

test('values that the new mount interface cannot carry go the old way', () => {
  const lowerdir = Array.from({ length: 40 }, (_, index) => `/layers/${index}`).join(':');
  const options = [`lowerdir=${lowerdir}`, 'upperdir=/u', 'ro', 'noatime'];
  const [step] = fieldsOf(
    mountSteps({ destination: '/merged', type: 'overlay', source: 'overlay', options }),
    'legacyMount',
  );
  assert.deepEqual(step, {
    path: '/merged',
    source: 'overlay',
    type: 'overlay',
    text: `lowerdir=${lowerdir},upperdir=/u`,
    set: 1 | (1 << 10),
    flags: targetFlags.directory,
  });
});

const v1 = [
  { version: 'v1', mountPoint: '/cg/memory', controllers: ['memory'], ownGroup: '/caller' },
  { version: 'v1', mountPoint: '/cg/cpu,cpuacct', controllers: ['cpu', 'cpuacct'], ownGroup: '/' },
  { version: 'v2', mountPoint: '/cg/unified', controllers: [], ownGroup: '/' },
] as const;
const cgroupMount: Mount = { destination: '/sys/fs/cgroup', type: 'cgroup', options: ['rw', 'nosuid'] };

test("v1 hierarchies are bound at the container's group, and at the caller's read-only (CVE-2023-25809)", () => {
  const steps = stepsFor(planSpec({ mounts: [cgroupMount] }), {
    host: { cgroups: v1 },
    cgroups: [{ procs: '/cg/memory/oci/test/cgroup.procs', version: 'v1' }],
  });
  const opened = fieldsOf(steps, 'openTree').slice(1);
  assert.deepEqual(
    opened.map(({ path }) => path),
    ['/cg/memory/oci/test', '/cg/cpu,cpuacct'],
  );
  const attributes = (slot: unknown): unknown =>
    fieldsOf(steps, 'mountAttributes').find((fields) => fields['slot'] === slot && 'set' in fields);
  assert.deepEqual(attributes(opened[0]?.['slot']), { slot: opened[0]?.['slot'], set: 2, clear: 1 });
  assert.deepEqual(attributes(opened[1]?.['slot']), { slot: opened[1]?.['slot'], set: 3, clear: 0 });
  assert.deepEqual(
    fieldsOf(steps, 'symlink')
      .filter(({ path }) => String(path).startsWith('/sys'))
      .map(({ path, text }) => [path, text]),
    [
      ['/sys/fs/cgroup/cpu', 'cpu,cpuacct'],
      ['/sys/fs/cgroup/cpuacct', 'cpu,cpuacct'],
    ],
  );
});

test('with a cgroup namespace and one unified hierarchy a new cgroup2 is mounted', () => {
  const cgroups = [{ version: 'v2', mountPoint: '/sys/fs/cgroup', controllers: [], ownGroup: '/x' }] as const;
  const linux = { namespaces: [{ type: 'mount' as const }, { type: 'cgroup' as const }] };
  const steps = stepsFor(planSpec({ mounts: [{ ...cgroupMount, options: ['ro'] }], linux }), {
    host: { cgroups },
  });
  assert.deepEqual(fieldsOf(steps, 'filesystem'), [{ slot: 1, type: 'cgroup2', source: 'cgroup', set: 1 }]);
});

test('a destination below the root file system, as the host sees it, and a source there are of the container', () => {
  const steps = mountSteps({
    destination: '/bundle/rootfs/to',
    source: '/bundle/rootfs/from',
    options: ['bind'],
  });
  const clone = steps.findIndex(({ tag, fields }) => tag === 'cloneInRoot' && fields['path'] === '/from');
  assert.ok(clone > steps.findIndex(({ tag }) => tag === 'root'));
  assert.ok(steps.some(({ tag, fields }) => tag === 'attach' && fields['path'] === '/to'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdMapping, NamespaceType } from '@ocijs/bundle/spec';
import { compilePlan } from './compile.ts';
import { fieldsOf, planInput, planSpec, stepsFor } from './testing/input.ts';

const ownMapping: IdMapping[] = [{ containerID: 0, hostID: 1000, size: 1 }];
const rangeMapping: IdMapping[] = [...ownMapping, { containerID: 1, hostID: 100_000, size: 65_536 }];

function namespaces(...types: NamespaceType[]): { namespaces: { type: NamespaceType }[] } {
  return { namespaces: types.map((type) => ({ type })) };
}

test('the order of a small plan', () => {
  const tags = stepsFor(planSpec()).map(({ section, tag }) => `${section} ${tag}`);
  assert.deepEqual(tags, [
    'host notDumpable',
    'host fifo',
    'init affinity',
    'init session',
    'init keyring',
    'init openTree',
    'init mountAttributes',
    'init mountAttributes',
    'init mountAttributes',
    'init root',
    ...Array.from({ length: 6 }, () => 'init device'),
    ...Array.from({ length: 5 }, () => 'init symlink'),
    'init directory',
    'init pivot',
    'init stdio',
    'init closeFds',
    'init umask',
    'init directoryChange',
    'init bounding',
    'init identity',
    'init notDumpable',
    'init parentDeath',
    'init capabilities',
    'init directoryChange',
    'init lookup',
    'init created',
    'init waitStart',
    'init ambient',
    'init exec',
  ]);
});

test('devices are restricted before the process joins its cgroup', () => {
  const deviceProgram = { cgroup: '/sys/fs/cgroup/oci/x', program: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
  const group = '/sys/fs/cgroup/oci/x';
  const cgroups = [{ procs: `${group}/cgroup.procs`, version: 'v2' }] as const;
  const restriction = { tag: 'deviceProgram', fields: { path: group, bytes: '0102030405060708' } };
  const stepsIn = (wanted: string, change: Parameters<typeof stepsFor>[1]): unknown[] =>
    stepsFor(planSpec(), { deviceProgram, cgroups, ...change })
      .filter(({ section }) => section === wanted)
      .map(({ tag, fields }) => ({ tag, fields }));
  assert.deepEqual(stepsIn('host', {}).slice(-2), [
    restriction,
    { tag: 'openCgroup', fields: { slot: 0, path: group, flags: 2 } },
  ]);
  assert.deepEqual(stepsIn('attend', {}), [
    { tag: 'joinCgroup', fields: { path: `${group}/cgroup.procs`, slot: 0 } },
  ]);
  // Where the caller makes the group, there is none before the process.
  assert.deepEqual(stepsIn('attend', { hostCgroup: true }), [
    { tag: 'hostCgroup', fields: {} },
    restriction,
    { tag: 'joinCgroup', fields: { path: `${group}/cgroup.procs` } },
  ]);
});

test('a process enters the groups of cgroup v1 by itself, first of all', () => {
  const group = '/sys/fs/cgroup/cpu/oci/x';
  const cgroups = [{ procs: `${group}/cgroup.procs`, version: 'v1' }, { procs: '/r/tasks' }] as const;
  const steps = stepsFor(planSpec(), { cgroups });
  assert.deepEqual(fieldsOf(steps, 'openCgroup'), [{ slot: 0, path: `${group}/tasks` }]);
  assert.deepEqual(
    steps
      .filter(({ section }) => section === 'init')
      .map(({ tag }) => tag)
      .slice(0, 2),
    ['enterCgroup', 'ask'],
  );
  assert.deepEqual(fieldsOf(steps, 'joinCgroup'), [
    { path: `${group}/cgroup.procs`, slot: 0 },
    { path: '/r/tasks' },
  ]);
});

test('all namespaces come with one clone where there is no user namespace', () => {
  const spec = planSpec({ linux: namespaces('pid', 'mount', 'uts', 'ipc', 'network', 'cgroup') });
  const { header, steps } = compilePlan(planInput(spec));
  assert.equal(header.cloneFlags, 0x20000000 + 0x20000 + 0x4000000 + 0x8000000 + 0x40000000);
  assert.deepEqual(
    steps.filter(({ tag }) => tag === 'unshare').map(({ fields }) => fields.flags),
    [0x2000000],
  );
});

test('in a user namespace its root makes the others', () => {
  const linux = {
    ...namespaces('user', 'pid', 'mount', 'uts'),
    uidMappings: ownMapping,
    gidMappings: ownMapping,
  };
  const { header, steps } = compilePlan(planInput(planSpec({ linux })));
  assert.equal(header.cloneFlags, 0x30000000);
  const tags = steps.filter(({ section }) => section === 'init').map(({ tag }) => tag);
  assert.deepEqual(tags.slice(0, 3), ['ask', 'becomeRoot', 'unshare']);
});

test('joined namespaces are opened in the host, and tried on both sides of a joined user namespace', () => {
  const linux = {
    namespaces: [{ type: 'user', path: '/u' }, { type: 'network', path: '/n' }, { type: 'mount' }] satisfies {
      type: NamespaceType;
      path?: string;
    }[],
  };
  const steps = stepsFor(planSpec({ linux }));
  const joins = steps.filter(({ section }) => section === 'join');
  assert.deepEqual(
    joins.map(({ tag, fields }) => [tag, fields['number'], fields['flags']]),
    [
      ['setNamespace', 0x40000000, 1],
      ['setNamespace', 0x10000000, 0],
      ['becomeRoot', undefined, undefined],
      ['setNamespace', 0x40000000, 0],
    ],
  );
  assert.equal(fieldsOf(steps, 'openNamespace').length, 2);
});

test('a namespace can be given once', () => {
  const spec = planSpec({ linux: namespaces('mount', 'mount') });
  assert.throws(() => compilePlan(planInput(spec)), { code: 'ERR_OCI_SPEC_CONFLICT' });
});

test('an ordinary user maps its own id itself and ranges with the helpers', () => {
  const host = { uid: 1000, gid: 1000 };
  const spec = planSpec({
    linux: { ...namespaces('user', 'mount'), uidMappings: rangeMapping, gidMappings: ownMapping },
  });
  const steps = stepsFor(spec, { host });
  assert.deepEqual(fieldsOf(steps, 'idMaps'), [{ gidMap: '0 1000 1\n', flags: 1 }]);
  assert.deepEqual(fieldsOf(steps, 'idMapHelper'), [
    { path: '/usr/bin/newuidmap', argument: ['0', '1000', '1', '1', '100000', '65536'] },
  ]);
  assert.equal(fieldsOf(steps, 'identity')[0]?.['flags'], 1);
  assert.throws(() => stepsFor(spec, { host: { ...host, newuidmap: undefined } }), {
    code: 'ERR_OCI_SPEC_UNSUPPORTED',
  });
});

test('arguments are exactly those of the configuration, of the environment the last value of each variable', () => {
  const env = ['A=1', 'B=', 'A=2'];
  const process = { user: { uid: 0, gid: 0 }, cwd: '/', args: ['/bin/x', '', ' y'], env };
  const [exec] = fieldsOf(stepsFor(planSpec({ process })), 'exec');
  assert.deepEqual(exec?.['argument'], ['/bin/x', '', ' y']);
  assert.deepEqual(exec?.['variable'], ['A=2', 'B=']);
});

for (const uid of [-1, 2 ** 32 - 1, 2 ** 32, 1.5]) {
  test(`${uid} is no user (CVE-2024-40635)`, () => {
    const process = { user: { uid, gid: 0 }, cwd: '/', args: ['x'] };
    assert.throws(() => stepsFor(planSpec({ process })), { code: 'ERR_OCI_SPEC_CONFLICT' });
  });
}

test('without no_new_privs a filter is loaded with a capability that is dropped again', () => {
  const seccomp = { program: new Uint8Array(16), flags: 2 };
  const spec = planSpec();
  const tags = (steps: ReturnType<typeof stepsFor>): string[] =>
    steps.slice(steps.findIndex(({ tag }) => tag === 'waitStart') + 1).map(({ tag }) => tag);
  assert.deepEqual(tags(stepsFor(spec, { seccomp })), [
    'capabilities',
    'seccomp',
    'capabilities',
    'ambient',
    'exec',
  ]);
  const process = { ...spec.process, user: { uid: 0, gid: 0 }, cwd: '/', args: ['x'], noNewPrivileges: true };
  assert.deepEqual(tags(stepsFor(planSpec({ process }), { seccomp })), ['seccomp', 'ambient', 'exec']);
});

test('labels of a security module that is not there are refused', () => {
  const process = { user: { uid: 0, gid: 0 }, cwd: '/', args: ['x'], apparmorProfile: 'docker-default' };
  assert.throws(() => stepsFor(planSpec({ process })), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  const labels = { apparmor: true, selinux: false };
  assert.deepEqual(fieldsOf(stepsFor(planSpec({ process }), { host: { labels } }), 'writeProc'), [
    { path: 'thread-self/attr/apparmor/exec', value: 'exec docker-default' },
  ]);
});

/** Configurations that no good tool writes: each is refused before there is any effect, or has none outside. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { create, remove, state } from '@ocijs/runtime';
import { unmountedHierarchies } from '../../kit/hierarchies.ts';
import { makeArena, type Spec, skip } from './arena.ts';

const stdio = ['ignore', 'ignore', 'ignore'] as const;

const refused: readonly (readonly [
  string,
  Partial<Spec['linux']>,
  Partial<Omit<Spec, 'linux' | 'process'>>?,
])[] = [
  ['a kernel parameter with slashes and dots', { sysctl: { 'net/../kernel/core_pattern': 'x' } }],
  ['a kernel parameter of the host', { sysctl: { 'vm.overcommit_memory': '1' } }],
  ['the root as cgroup', { cgroupsPath: '/../..' }],
  ['a cgroup file with a path', { resources: { unified: { '../cgroup.procs': '1' } } }],
  ['a class of service with a path', { intelRdt: { closID: '../../x' } }],
  ['an unknown namespace', { namespaces: [{ type: 'net' as 'network' }] }],
  ['a namespace twice', { namespaces: [{ type: 'mount' }, { type: 'mount' }] }],
  ['a hook without a whole path', {}, { hooks: { createRuntime: [{ path: 'bin/true' }] } }],
  ['a NUL in a path', {}, { mounts: [{ destination: '/a\0/proc', type: 'tmpfs', source: 'x' }] }],
  ['a mount over the root', {}, { mounts: [{ destination: '/', type: 'tmpfs', source: 'x' }] }],
];

const refusedProcesses: readonly (readonly [string, Partial<Spec['process']>])[] = [
  ['a limit that nobody knows', { rlimits: [{ type: 'RLIMIT_EVERYTHING', soft: 1, hard: 1 }] }],
  ['a NUL in an argument', { args: ['true', 'a\0b'] }],
];

const refusals = /^ERR_OCI_(SPEC_(CONFLICT|INVALID|UNSUPPORTED)|CGROUP_INVALID)$/;

for (const [what, linux, rest] of refused) {
  test(`${what} is refused`, { skip }, async () => {
    using arena = await makeArena();
    const { error } = await arena.run('true', (spec) => {
      Object.assign(spec, rest);
      Object.assign(spec.linux, linux);
    });
    assert.match(error?.code ?? 'none', refusals);
    arena.check();
  });
}

for (const [what, change] of refusedProcesses) {
  test(`${what} is refused`, { skip }, async () => {
    using arena = await makeArena();
    const { error } = await arena.run('true', (spec) => void Object.assign(spec.process, change));
    assert.match(error?.code ?? 'none', refusals);
  });
}

test('a capability that nobody knows gives nothing (config.md, "Linux Process": a warning)', {
  skip,
}, async () => {
  using arena = await makeArena();
  const { out, error } = await arena.run('grep CapBnd /proc/self/status', (spec) => {
    spec.process.capabilities = { bounding: ['CAP_EVERYTHING'] };
  });
  assert.equal(error, undefined);
  assert.match(out, /^CapBnd:\t0{16}$/m);
});

test('a namespace that is a fifo, a file or of another type is refused, and hangs nobody', {
  skip,
}, async () => {
  using arena = await makeArena();
  const fifo = join(arena.bundle, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const path of [fifo, '/etc/passwd', '/proc/self/ns/uts', '/does/not/exist']) {
    const { error } = await arena.run('true', (spec) => {
      spec.linux.namespaces = [{ type: 'mount' }, { type: 'ipc', path }];
      delete spec.hostname;
    });
    assert.equal(error?.code, 'ERR_OCI_INIT_FAILED', path);
  }
});

test('a cgroup path with dots stays below the root of the hierarchy', { skip }, async () => {
  using arena = await makeArena();
  const name = `ocijs-attack-${process.pid}`;
  const { out, error } = await arena.run('cat /proc/self/cgroup', (spec) => {
    spec.linux.cgroupsPath = `../../../../${name}`;
    spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
  });
  assert.equal(error, undefined);
  const elsewhere = unmountedHierarchies();
  const joined = out
    .trim()
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, controllers = '']) => !elsewhere.includes(controllers));
  assert.ok(joined.length > 0);
  for (const [, , path] of joined) assert.equal(path, `/${name}`);
});

test('a configuration that is too large or too deep is not read', { skip }, async () => {
  using arena = await makeArena();
  const config = join(arena.bundle, 'config.json');
  const options = { bundle: arena.bundle, root: join(arena.bundle, 'state'), stdio };
  for (const text of [
    `{"a":"${'x'.repeat(100 << 20)}"}`,
    '['.repeat(1_000_000),
    '{"a":'.repeat(100_000),
    '{"ociVersion":NaN}',
    '\ufeff{}',
  ]) {
    writeFileSync(config, text);
    await assert.rejects(create('x', options), {
      code: /^ERR_OCI_(RUNTIME_BUNDLE_INVALID|JSON_INVALID|LIMIT_EXCEEDED|SPEC_INVALID)$/,
    });
  }
  assert.equal(existsSync(options.root), false);
});

test('names of containers are no paths', { skip }, async () => {
  using arena = await makeArena();
  const root = join(arena.bundle, 'state');
  for (const id of ['..', '.', 'a/b', '', 'x'.repeat(1025), 'a\0b', '../../etc', '-x\n']) {
    await assert.rejects(
      create(id, { bundle: arena.bundle, root, stdio }),
      { code: 'ERR_OCI_CONTAINER_ID_INVALID' },
      JSON.stringify(id),
    );
    assert.throws(() => state(id, { root }), { code: /^ERR_OCI_CONTAINER_(ID_INVALID|NOT_FOUND)$/ });
  }
});

test('a pid file that is a link is replaced, not followed', { skip }, async () => {
  using arena = await makeArena();
  const root = join(arena.bundle, 'state');
  const pidFile = join(arena.bundle, 'pid');
  symlinkSync(join(arena.canary, 'ptmx'), pidFile);
  const id = `attack-${process.pid}`;
  const { pid } = await create(id, { bundle: arena.bundle, root, stdio, pidFile });
  try {
    assert.ok(lstatSync(pidFile).isFile());
    assert.equal(readFileSync(pidFile, 'utf8'), String(pid));
    arena.check();
  } finally {
    await remove(id, { root, force: true });
  }
});

test('a state directory of another user is not used', { skip }, async () => {
  using arena = await makeArena();
  const root = join(arena.bundle, 'state');
  mkdirSync(root);
  execFileSync('chown', ['1000', root]);
  await assert.rejects(create('x', { bundle: arena.bundle, root, stdio }), { code: 'ERR_OCI_STATE_DENIED' });
});

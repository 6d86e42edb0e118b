import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IdMapping, Namespace } from '@ocijs/bundle/spec';
import { startInit } from './index.ts';
import { makeBundle, makeSpec, runScript, skipReason, startOptions } from './testing/bundle.ts';
import { runProgram } from './testing/program.ts';

const skip = skipReason();
const base = makeSpec().linux;
const range: IdMapping[] = [{ containerID: 0, hostID: 200_000, size: 65_536 }];

/** The default namespaces with others in their place or besides. */
function namespaces(...more: Namespace[]): Namespace[] {
  const types = new Set(more.map(({ type }) => type));
  return [...(base?.namespaces ?? []).filter(({ type }) => !types.has(type)), ...more];
}

function chownTree(directory: string, id: number): void {
  lchownSync(directory, id, id);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) chownTree(path, id);
    else lchownSync(path, id, id);
  }
}

test('root of a user namespace has its own files, devices and network', { skip }, async () => {
  using bundle = makeBundle();
  chownTree(bundle.rootfs, 200_000);
  const mqueue = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue' };
  const spec = makeSpec({
    root: { path: 'rootfs' },
    mounts: [...(makeSpec().mounts ?? []), mqueue],
    linux: { ...base, namespaces: namespaces({ type: 'user' }), uidMappings: range, gidMappings: range },
  });
  const script =
    'id -u; cat /proc/self/uid_map; touch /file && stat -c %u /file /dev/mqueue; echo x > /dev/null && stat -c %t:%T /dev/null; ip link show lo | grep -c UP';
  const { stdout } = await runScript(bundle, script, { spec });
  assert.deepEqual(stdout.trim().split(/\s+/), ['0', '0', '200000', '65536', '0', '0', '1:3', '1']);
});

test('the init of a user namespace reaches sources that its root may not', { skip }, async () => {
  using bundle = makeBundle();
  const secret = join(bundle.directory, 'secret/data');
  mkdirSync(join(bundle.directory, 'secret'), { mode: 0o700 });
  mkdirSync(secret);
  writeFileSync(join(secret, 'file'), 'content');
  mkdirSync(join(bundle.rootfs, 'data'));
  const spec = makeSpec({
    mounts: [
      ...(makeSpec().mounts ?? []),
      { destination: '/data', source: secret, options: ['rbind', 'ro'] },
    ],
    linux: { ...base, namespaces: namespaces({ type: 'user' }), uidMappings: range, gidMappings: range },
  });
  const { stdout } = await runScript(bundle, 'cat /data/file; touch /data/x 2>&1 | grep -c Read-only', {
    spec,
  });
  assert.equal(stdout, 'content1\n');
});

/** A directory of files whose owners are those of the host. */
function ownedFiles(directory: string): string {
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), '');
  chownSync(join(directory, 'file'), 3, 4);
  return directory;
}

test('in a user namespace a part of its own files is id-mapped', { skip }, async () => {
  using bundle = makeBundle();
  for (const name of ['to', 'further']) mkdirSync(join(bundle.rootfs, name));
  const source = ownedFiles(join(bundle.rootfs, 'from'));
  const mapped = { options: ['rbind'], uidMappings: range, gidMappings: range };
  const spec = makeSpec({
    mounts: [
      ...(makeSpec().mounts ?? []),
      { destination: '/to', source, ...mapped },
      { destination: '/further', source, ...mapped },
    ],
    linux: { ...base, namespaces: namespaces({ type: 'user' }), uidMappings: range, gidMappings: range },
  });
  const { stdout } = await runScript(bundle, 'stat -c %u:%g /from/file /to/file /further/file', { spec });
  assert.deepEqual(stdout.trim().split('\n'), ['65534:65534', '3:4', '3:4']);
});

test('a mount is id-mapped as the user namespace that is joined', { skip }, async () => {
  using bundle = makeBundle();
  using other = makeBundle();
  mkdirSync(join(bundle.directory, 'secret'), { mode: 0o700 });
  const source = ownedFiles(join(bundle.directory, 'secret/source'));
  mkdirSync(join(bundle.rootfs, 'data'));
  const own = { ...base, namespaces: namespaces({ type: 'user' }), uidMappings: range, gidMappings: range };
  await using init = await startInit(startOptions(other, makeSpec({ linux: own })));
  const spec = makeSpec({
    mounts: [...(makeSpec().mounts ?? []), { destination: '/data', source, options: ['rbind', 'idmap'] }],
    linux: { ...base, namespaces: namespaces({ type: 'user', path: `/proc/${init.pid}/ns/user` }) },
  });
  const { stdout } = await runScript(bundle, 'stat -c %u:%g /data/file', { spec });
  assert.equal(stdout, '3:4\n');
});

test('namespaces are joined by path', { skip }, async () => {
  using bundle = makeBundle();
  using other = makeBundle();
  await using init = await startInit(startOptions(other, makeSpec({ hostname: 'first' })));
  const path = (name: string): string => `/proc/${init.pid}/ns/${name}`;
  const joined = namespaces(
    { type: 'network', path: path('net') },
    { type: 'uts', path: path('uts') },
    { type: 'pid', path: path('pid') },
  );
  const spec = makeSpec({ linux: { ...base, namespaces: joined } });
  spec.hostname = '';
  const script =
    'for i in net uts pid; do readlink /proc/self/ns/$i; done; hostname; [ $$ != 1 ] && echo not first';
  const { stdout } = await runScript(bundle, script, { spec });
  const links = ['net', 'uts', 'pid'].map((name) => readlinkSync(path(name)));
  assert.deepEqual(stdout.trim().split('\n'), [...links, 'first', 'not first']);
});

test('what is no namespace of the right type cannot be joined', { skip }, async () => {
  using bundle = makeBundle();
  for (const [path, message] of [
    ['/proc/self/ns/uts', /a namespace of another type/],
    ['/etc/passwd', /not a namespace/],
    ['/does-not-exist', /no such file or directory/],
  ] as const) {
    const spec = makeSpec({ linux: { ...base, namespaces: namespaces({ type: 'network', path }) } });
    await assert.rejects(startInit(startOptions(bundle, spec)), { code: 'ERR_OCI_INIT_FAILED', message });
  }
});

test('a time namespace has its own clock', { skip }, async () => {
  for (const user of [[], [{ type: 'user' }]] as Namespace[][]) {
    using bundle = makeBundle();
    const maps = user.length > 0 ? { uidMappings: range, gidMappings: range } : {};
    const timeOffsets = { boottime: { secs: 1_000_000_000, nanosecs: 5 } };
    const linux = { ...base, ...maps, timeOffsets, namespaces: namespaces({ type: 'time' }, ...user) };
    const { stdout } = await runScript(bundle, 'cut -d. -f1 /proc/uptime', { spec: makeSpec({ linux }) });
    assert.ok(Number(stdout) > 1_000_000_000);
  }
});

test('kernel parameters are those of the container alone', { skip }, async () => {
  using bundle = makeBundle();
  const before = readFileSync('/proc/sys/kernel/msgmax', 'utf8');
  const linux = { ...base, sysctl: { 'net.ipv4.ip_default_ttl': '77', 'kernel.msgmax': '12345' } };
  const script = 'cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax';
  const { stdout } = await runScript(bundle, script, { spec: makeSpec({ linux }) });
  assert.equal(stdout, '77\n12345\n');
  assert.equal(readFileSync('/proc/sys/kernel/msgmax', 'utf8'), before);
});

const memory = '/sys/fs/cgroup/memory';
const memorySkip =
  skip ?? (existsSync(`${memory}/cgroup.procs`) ? undefined : 'no cgroup v1 memory controller');

test('a container starts with 512 KiB of memory', { skip: memorySkip }, async () => {
  using bundle = makeBundle();
  const group = `${memory}/oci-init-test-${process.pid}`;
  mkdirSync(group);
  try {
    writeFileSync(`${group}/memory.limit_in_bytes`, String(512 * 1024));
    const spec = makeSpec({ process: { args: ['true'] } });
    const procs = `${group}/cgroup.procs`;
    const { stdout, exitCode } = await runScript(bundle, 'grep :memory: /proc/self/cgroup', {
      spec,
      cgroups: [{ procs, version: 'v1' }],
    });
    assert.equal(exitCode, 0);
    assert.ok(stdout.trim().endsWith(`/oci-init-test-${process.pid}`));
  } finally {
    rmdirSync(group);
  }
});

test('an ordinary user runs a container', { skip }, async () => {
  using bundle = makeBundle();
  const id = 65_534;
  const own: IdMapping[] = [{ containerID: 0, hostID: id, size: 1 }];
  chownTree(bundle.directory, id);
  chownSync(bundle.directory, id, id);
  const linux = {
    ...base,
    namespaces: namespaces({ type: 'user' }, { type: 'cgroup' }),
    uidMappings: own,
    gidMappings: own,
  };
  const script = 'id -u; cat /proc/self/setgroups; echo x > /dev/null; touch /tmp/x && stat -c %u /tmp/x';
  const input = { bundle, spec: makeSpec({ root: { path: 'rootfs' }, linux }), script };
  const program = 'done(await runScript(input.bundle, input.script, { spec: input.spec }));';
  assert.deepEqual(await runProgram(program, { input, id }), {
    exitCode: 0,
    stdout: '0\ndeny\n0\n',
    stderr: '',
  });
});

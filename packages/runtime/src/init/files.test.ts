import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Mount, RuntimeSpec } from '@ocijs/bundle/spec';
import { makeBundle, makeSpec, runScript, skipReason } from './testing/bundle.ts';

const skip = skipReason();

function withMounts(...mounts: Mount[]): RuntimeSpec {
  return makeSpec({ mounts: [...(makeSpec().mounts ?? []), ...mounts] });
}

test('/dev has its devices and links', { skip }, async () => {
  using bundle = makeBundle();
  const devices = [
    { type: 'b' as const, path: '/dev/disk/x', major: 240, minor: 300, fileMode: 0o640, uid: 5, gid: 6 },
  ];
  const spec = makeSpec({ linux: { ...makeSpec().linux, devices } });
  const script =
    'cd /dev; stat -c "%n %t:%T %a %u:%g" null zero full random urandom tty disk/x; for i in fd stdin stdout stderr ptmx; do readlink $i; done; head -c 3 zero | wc -c';
  const { stdout } = await runScript(bundle, script, { spec });
  assert.deepEqual(stdout.trim().split('\n'), [
    'null 1:3 666 0:0',
    'zero 1:5 666 0:0',
    'full 1:7 666 0:0',
    'random 1:8 666 0:0',
    'urandom 1:9 666 0:0',
    'tty 5:0 666 0:0',
    'disk/x f0:12c 640 5:6',
    '/proc/self/fd',
    '/proc/self/fd/0',
    '/proc/self/fd/1',
    '/proc/self/fd/2',
    'pts/ptmx',
    '3',
  ]);
});

test('masked paths are empty and read-only ones refuse writes', { skip }, async () => {
  using bundle = makeBundle();
  mkdirSync(join(bundle.rootfs, 'secret/below'), { recursive: true });
  writeFileSync(join(bundle.rootfs, 'etc/secret'), 'secret');
  writeFileSync(join(bundle.rootfs, 'etc/fixed'), 'fixed');
  const linux = {
    ...makeSpec().linux,
    maskedPaths: ['/secret', '/etc/secret', '/missing', '/etc/fixed/missing'],
    readonlyPaths: ['/etc/fixed', '/proc/sys', '/missing'],
  };
  const script =
    'ls -A /secret | wc -l; wc -c < /etc/secret; cat /etc/fixed; for i in /secret/x /etc/fixed /proc/sys/kernel/hostname; do (echo x > $i) 2>&1 | grep -o "Read-only.*"; done';
  const { stdout } = await runScript(bundle, script, { spec: makeSpec({ root: { path: 'rootfs' }, linux }) });
  assert.deepEqual(
    stdout.trim().split('\n'),
    ['0', '0', 'fixed', ...Array(3).fill('Read-only file system')]
      .flatMap((line) => (line === 'fixed' ? ['fixedRead-only file system'] : [line]))
      .slice(0, -1),
  );
});

test('a path that is masked several times, however it is written, is covered once', { skip }, async () => {
  using bundle = makeBundle();
  mkdirSync(join(bundle.rootfs, 'secret'));
  writeFileSync(join(bundle.rootfs, 'etc/secret'), 'secret');
  const maskedPaths = ['/secret', '/etc/secret', '/secret/', '/etc/../etc//secret', '/secret'];
  const spec = makeSpec({ linux: { ...makeSpec().linux, maskedPaths } });
  const script = 'for i in /secret /etc/secret; do grep -c " $i " /proc/self/mountinfo; done';
  const { stdout } = await runScript(bundle, script, { spec });
  assert.equal(stdout, '1\n1\n');
});

test('the root can be read-only, mounts on it stay writable', { skip }, async () => {
  using bundle = makeBundle();
  const spec = withMounts({ destination: '/made/for/it', type: 'tmpfs', options: ['nosuid'] });
  const { stdout } = await runScript(
    bundle,
    '(echo x > /file) 2>&1 | grep -o Read-only; echo y > /made/for/it/x && cat /made/for/it/x',
    { spec },
  );
  assert.equal(stdout, 'Read-only\ny\n');
});

test('files and directories are bound with their attributes', { skip }, async () => {
  using bundle = makeBundle();
  const source = join(bundle.directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content');
  const spec = withMounts(
    { destination: '/one/file', type: 'bind', source: 'source/file', options: ['bind', 'ro', 'mode=755'] },
    { destination: '/two', source, options: ['rbind', 'rro', 'noexec', 'nosuid', 'noatime'] },
  );
  const script =
    'cat /one/file; (echo x > /one/file) 2>&1 | grep -o Read-only; grep -E " /(one/file|two) " /proc/self/mountinfo | cut -d" " -f5,6';
  const { stdout } = await runScript(bundle, script, { spec });
  // What is said of access times for the first is that of the directory for temporary files.
  assert.deepEqual(stdout.replace('/file ro,relatime\n', '/file ro\n').split('\n'), [
    'contentRead-only',
    '/one/file ro',
    '/two ro,nosuid,noexec,noatime',
    '',
  ]);
});

test('a missing target behind a dangling link is made where the link leads inside the root', {
  skip,
}, async () => {
  using bundle = makeBundle();
  symlinkSync('/away/from/here', join(bundle.rootfs, 'link'));
  symlinkSync('loop', join(bundle.rootfs, 'loop'));
  const { stdout } = await runScript(bundle, 'grep -o "/away.* rw,relatime -" /proc/self/mountinfo', {
    spec: withMounts({ destination: '/link/deep', type: 'tmpfs' }),
  });
  assert.equal(stdout, '/away/from/here/deep rw,relatime -\n');
  await assert.rejects(
    runScript(bundle, 'true', { spec: withMounts({ destination: '/loop/deep', type: 'tmpfs' }) }),
    {
      message: /too many symbolic links/,
    },
  );
});

test('a tmpfs has the mode of the directory that it covers, as an option where that can be', {
  skip,
}, async () => {
  using bundle = makeBundle();
  const source = join(bundle.directory, 'source');
  for (const [path, mode] of [
    [join(bundle.rootfs, 'there'), 0o1730],
    [join(bundle.rootfs, 'explicit'), 0o710],
    [join(bundle.rootfs, 'bound'), 0o755],
    [join(source, 'below'), 0o2750],
  ] as const) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
  }
  const tmpfs = { type: 'tmpfs', source: 'tmpfs' };
  const spec = withMounts(
    { ...tmpfs, destination: '/there', options: ['ro', 'size=64k'] },
    { ...tmpfs, destination: '/explicit', options: ['mode=700'] },
    { destination: '/bound', source, options: ['rbind'] },
    { ...tmpfs, destination: '/bound/below' },
    { ...tmpfs, destination: '/made/for/it' },
  );
  const paths = '/there /explicit /bound/below /made/for/it';
  const script = `for i in ${paths}; do echo $(stat -c %a $i) $(grep " $i " /proc/self/mountinfo | grep -o mode=[0-7]*); done`;
  const { stdout } = await runScript(bundle, script, { spec });
  assert.deepEqual(stdout.trim().split('\n'), ['1730 mode=1730', '700 mode=700', '2750', '1777']);
});

test('tmpcopyup starts with what the directory had', { skip }, async () => {
  using bundle = makeBundle();
  const directory = join(bundle.rootfs, 'etc/deep');
  mkdirSync(directory, { mode: 0o710 });
  writeFileSync(join(directory, 'file'), 'x'.repeat(100_000), { mode: 0o604 });
  chownSync(join(directory, 'file'), 12, 34);
  symlinkSync('/nowhere', join(directory, 'link'));
  const spec = withMounts({ destination: '/etc', type: 'tmpfs', options: ['tmpcopyup', 'ro'] });
  const script =
    'cd /etc/deep; stat -c "%a %u:%g %s" file; readlink link; stat -c %a .; (echo > x) 2>&1 | grep -o Read-only';
  const { stdout } = await runScript(bundle, script, { spec });
  assert.equal(stdout, '604 12:34 100000\n/nowhere\n710\nRead-only\n');
});

test('an id-mapped mount shifts owners', { skip }, async () => {
  using bundle = makeBundle();
  const source = join(bundle.directory, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), '');
  chownSync(join(source, 'file'), 3, 4);
  const maps = [{ containerID: 0, hostID: 5000, size: 10 }];
  const spec = withMounts({
    destination: '/data',
    source,
    options: ['rbind'],
    uidMappings: maps,
    gidMappings: maps,
  });
  const { stdout } = await runScript(bundle, 'stat -c %u:%g /data/file', { spec });
  assert.equal(stdout, '5003:5004\n');
});

test('a wrong option is explained by the file system', { skip }, async () => {
  using bundle = makeBundle();
  const spec = withMounts({ destination: '/data', type: 'tmpfs', options: ['size=many'] });
  await assert.rejects(runScript(bundle, 'true', { spec }), {
    code: 'ERR_OCI_INIT_FAILED',
    message: /cannot make a tmpfs for "\/data": invalid argument \(.*size.*\)/,
    facts: { errno: 'EINVAL', jsonPath: '$.mounts[4]' },
  });
});

test('the root can be changed without pivot_root', { skip }, async () => {
  using bundle = makeBundle();
  const { stdout } = await runScript(bundle, 'ls /; ls /.. | wc -l; head -1 /proc/mounts | cut -d" " -f2', {
    noPivot: true,
  });
  assert.equal(stdout, 'bin\ndev\netc\nproc\nroot\nsys\ntmp\n7\n/\n');
});

for (const propagation of ['private', 'rslave', 'shared', 'unbindable']) {
  test(`the propagation of the root can be ${propagation}`, { skip }, async () => {
    using bundle = makeBundle();
    const linux = { ...makeSpec().linux, rootfsPropagation: propagation };
    const { stdout } = await runScript(
      bundle,
      'grep " / / " /proc/self/mountinfo || grep "rootfs / " /proc/self/mountinfo',
      {
        spec: makeSpec({ linux }),
      },
    );
    assert.equal(/ shared:/.test(stdout), propagation === 'shared');
    assert.equal(/ unbindable /.test(stdout), propagation === 'unbindable');
  });
}

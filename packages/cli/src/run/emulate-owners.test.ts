import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RuntimeSpec, readRecordedOwner } from '@ocijs/bundle';
import { manyOwnersImage } from '../testing/many-owners.testkit.ts';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';
import { cannotBeOrdinary, type OrdinaryUser, ownRanges } from '../testing/ordinary-user.testkit.ts';
import { said, userWithImage } from '../testing/owned-image.testkit.ts';

const look = 'find /srv | sort | xargs stat -c "%n %u:%g %a %F %s"';

/** What maintainer scripts and people do. */
const changes = [
  'cd /srv',
  'chown 33:33 plain; stat -c "%u:%g" plain',
  'chown 4000000000:2147483648 large; stat -c "%u:%g" large',
  'chown 34 plain; chown :35 plain; stat -c "%u:%g" plain',
  'cp plain installed; chown 33:42 installed; chmod 4750 installed; stat -c "%u:%g %a" installed',
  'chown 0:0 shadow; chown 8:9 www/sealed unreadable',
  'chown 1:1 program; stat -c "%u:%g %a" program',
  'chown -h 3:4 link; stat -c "%u:%g" link; stat -L -c "%u:%g" link',
  'chown -R 50:51 www; mkdir -p deep/er; touch deep/er/file; chown -R 60:61 deep',
  'mv installed moved; ln moved hard; cp -a moved copied; mkfifo pipe; chown 70:71 pipe',
  'cd deep/er; stat -c "%n %u:%g" . .. ../.. ../../shadow ../../../../../srv/absolute file; cd /srv',
  'stat -L -c "%n %u:%g" absolute outside link; chown 9:9 absolute; chown 10 outside',
  'stat missing; stat loop/x; stat -L loop; chown 1:1 missing; chown 1:1 plain/x; chown 1:1 loop; chown 33 ""',
  'exec 5<plain; stat -L -c "%u:%g" /proc/self/fd/5 /dev/fd/5; chown 11:12 /proc/self/fd/5; stat -c "%u:%g" plain',
  'tar -cf - . | tar -tvf - | sort | while read a b c; do echo "$a $b"; done',
  'calls /srv',
  'find . -user 60; find . -group 71; ls -ln | tail -n +2 | while read a b c d e; do echo "$a $c $d"; done',
].join('\n');

describe('emulated owners', { skip: cannotBeOrdinary('setpriv', 'unshare', 'busybox', 'tar', 'cc') }, () => {
  let home: TestHome;
  let archive: string;
  /** What root sees, whose files really belong to others. */
  let expected: string;
  /** Without subordinate ids. */
  let single: OrdinaryUser;

  before(async () => {
    home = await testHome();
    archive = await manyOwnersImage(home);
    single = await userWithImage(home, { name: 'single', ranges: undefined, archive });
    const { stdout, status } = await home.oci('run', '--rm', 'base', 'sh', '-c', script);
    assert.equal(status, 0);
    expected = stdout.trim();
    assert.match(expected, /^\/srv\/www 33:33 2755 directory/m);
  });
  after(() => home[Symbol.asyncDispose]());

  const script = `exec 2>&1\n${look}\n${changes}\n${look}`;

  /** A bundle whose process is a shell script. */
  async function bundleOf(user: OrdinaryUser, command: string): Promise<string> {
    const bundle = join(user.home, 'bundle');
    await said(user, 'unpack', 'base', bundle);
    await rewrite(bundle, command);
    return bundle;
  }

  async function rewrite(bundle: string, command: string): Promise<void> {
    const file = join(bundle, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as RuntimeSpec;
    const args = ['sh', '-c', command];
    const process = { ...config.process, args, terminal: false };
    await writeFile(file, JSON.stringify({ ...config, root: { path: 'rootfs', readonly: false }, process }));
  }

  test('a bundle shows its container what root would see, and repack keeps what it changed', async () => {
    const user = single;
    const bundle = await bundleOf(user, script);
    const seen = await said(user, 'run', '--rm', '--emulate-owners', '--bundle', bundle);
    assert.equal(seen, expected);
    await said(user, 'repack', bundle, 'new');
    const listed = JSON.parse(await said(user, 'ls', '-R', '--json', 'new', '/srv')) as readonly {
      readonly path: string;
      readonly uid: number;
      readonly gid: number;
    }[];
    const found = new Map(listed.map(({ path, uid, gid }) => [path.replace(/^\//, ''), `${uid}:${gid}`]));
    const last = expected.slice(expected.lastIndexOf('\n/srv '));
    const noted = [...last.matchAll(/^\/(\S+) (\d+:\d+) \d+ (?:regular|directory)/gm)];
    assert.ok(noted.length > 10);
    for (const [, name = '', owner] of noted.filter(([, name]) => name !== 'srv'))
      assert.equal(found.get(name), owner, name);
  });

  test('a container of an image, with what joins it, in the background too', async () => {
    const user = single;
    // A link cannot have a note, that of an unreadable file cannot be read, and layers have no other record.
    const files = (text: string): string => text.replaceAll(/^\/srv\/(link|unreadable) .*\n/gm, '');
    const seen = await said(
      user,
      'run',
      '--rm',
      '--emulate-owners',
      'base',
      'sh',
      '-c',
      `exec 2>&1\n${look}`,
    );
    const begin = expected.slice(0, expected.indexOf('33:33\n'));
    assert.equal(`${files(`${seen}\n`)}`, files(begin));
    assert.match(await said(user, 'run', '--rm', 'base', 'stat', '-c', '%u:%g', '/srv/www'), /^0:0$/);

    await said(user, 'run', '-d', '--name', 'up', '--emulate-owners', 'base', 'sleep', '600');
    const inside = 'stat -c %u:%g /srv/www; chown 44:45 /srv/plain; stat -c %u:%g /srv/plain';
    assert.equal(await said(user, 'exec', 'up', 'sh', '-c', inside), '33:33\n44:45');
    assert.equal(await said(user, 'exec', 'up', 'stat', '-c', '%u:%g', '/srv/plain'), '44:45');
    await said(user, 'rm', '-f', 'up');
    await nothingIsLeft(user);
  });

  test('what the profile forbids, and what the container may not do, stays so', async () => {
    const user = single;
    const run = ['run', '--rm', '--emulate-owners'];
    const change = ['sh', '-c', 'chown 33 /srv/plain; stat -c %u /srv/plain'];
    const denied = await user.oci(...run, '--cap-drop', 'CHOWN', 'base', ...change);
    assert.match(denied.stderr, /Operation not permitted/);
    assert.equal(denied.stdout, '0');
    const rule = (action: string, errnoRet?: number) => ({
      names: ['chown', 'lchown', 'fchownat'],
      action,
      ...(errnoRet !== undefined && { errnoRet }),
    });
    const profile = join(home.directory, 'profile.json');
    const write = (...what: Parameters<typeof rule>): Promise<void> =>
      writeFile(
        profile,
        JSON.stringify({
          defaultAction: 'SCMP_ACT_ALLOW',
          listenerPath: '/missing',
          syscalls: [rule(...what)],
        }),
      );
    const option = ['--security-opt', `seccomp=${profile}`];
    await write('SCMP_ACT_ERRNO', 110);
    const refused = await user.oci(...run, ...option, 'base', ...change);
    assert.match(refused.stderr, /timed out/);
    assert.equal(refused.stdout, '0');
    await write('SCMP_ACT_NOTIFY');
    const second = await user.oci(...run, ...option, 'base', ...change);
    assert.equal(second.status, 125);
    assert.match(second.stderr, /SCMP_ACT_NOTIFY, and owners cannot be emulated/);
    const readOnly = ['run', '--rm', '--emulate-owners', '--read-only', 'base', ...change];
    assert.match((await user.oci(...readOnly)).stderr, /Read-only file system/);
    const unconfined = ['--security-opt', 'seccomp=unconfined'];
    assert.equal(await said(user, ...run, ...unconfined, 'base', ...change), '33');
    await nothingIsLeft(user);
  });

  test('is refused where files have owners, or nobody could answer', async () => {
    const refused = await home.oci('run', '--rm', '--emulate-owners', 'base', 'true');
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /for ordinary users/);
    const user = await userWithImage(home, { name: 'ranges', ranges: ownRanges, archive });
    const other = await user.oci('run', '--rm', '--emulate-owners', '--runtime', 'runc', 'base', 'true');
    assert.equal(other.status, 2);
    if (cannotBeOrdinary('newuidmap', 'newgidmap') !== false) return;
    const owned = await user.oci('run', '--rm', '--emulate-owners', 'base', 'true');
    assert.equal(owned.status, 2, owned.stderr);
    assert.match(owned.stderr, /without subordinate ids/);
    const bundle = join(user.home, 'bundle');
    await said(user, 'unpack', '--userns', 'base', bundle);
    const several = await user.oci('run', '--rm', '--emulate-owners', '--bundle', bundle);
    assert.equal(several.status, 125);
    assert.match(several.stderr, /owners are not emulated: the container has several ids/);
  });

  test('no path of a hostile container leads out of it', async () => {
    const user = single;
    const outside = join(user.home, 'outside');
    await user.run('touch', outside);
    const attack = [
      `out=${outside}`,
      'cd /tmp; touch victim; mkdir -p a/b/c real; touch real/f',
      'chown 33:33 ../../../../../../../../../../../..$out; chown 33:33 $out',
      'ln -s ../../../../../../../../../../../..$out l; chown 33:33 l; chown -h 33:33 l',
      'list=""; for p in /proc/[0-9]* /proc/self; do',
      '  for n in root cwd fd/0 fd/3 task/1/root; do list="$list $p/$n$out"; done; done',
      'chown 33:33 $list; cd a; more=""; for p in $list; do more="$more ../../$p"; done; chown 33:33 $more; cd ..',
      '(for i in $(seq 60); do mv a/b/c moved; mv moved a/b/c; rm -f s; ln -s real s; rm -f s; ln -s / s; done) &',
      '(cd a/b/c; for i in $(seq 60); do chown 33:33 ../../../../../../../../../..$out ../../../s/f ../../../s$out; done)',
      'wait; chown 33:34 victim; stat -c %u:%g victim',
    ].join('\n');
    for (const more of [[], ['--pid', 'host']]) {
      const { stdout, stderr } = await user.oci(
        ...['run', '--rm', '--emulate-owners', ...more, 'base', 'sh', '-c', attack],
      );
      assert.match(stdout, /33:34$/, stderr);
      assert.equal(readRecordedOwner(outside), undefined, more.join(' '));
    }
  });

  /** No process of the user is there any more. */
  async function nothingIsLeft({ store }: OrdinaryUser): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = [];
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
        if (environ.includes(`OCI_STORE=${store}\0`)) found.push(pid);
      }
      if (found.length === 0) return;
      if (Date.now() > deadline) assert.deepEqual(found, []);
      await sleep(50);
    }
  }
});

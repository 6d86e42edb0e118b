/** Attack 29: what a base image says of itself (CVE-2022-23648, CVE-2024-40635, CVE-2024-21626, CVE-2024-9676). */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeArena, marker, skip } from './arena.ts';

describe('attack 29', { skip }, () => {
  test('a volume is no path of the host', async () => {
    await using at = await makeArena();
    const path = join(at.outside, 'volume');
    const up = '../'.repeat(12);
    await at.hostileImage('hostile', { config: { Volumes: { [`/${up}${path}`]: {}, [path]: {} } } });
    const { status, stderr } = await at.build('FROM hostile\nRUN true\nCOPY . /x\n');
    assert.equal(status, 0, stderr);
    assert.deepEqual([existsSync(path), await at.damage()], [false, []]);
  });

  test('no number of a user becomes 0', async () => {
    await using at = await makeArena();
    for (const User of ['4294967296', '-1', '4294967295:4294967296']) {
      await at.hostileImage('hostile', { config: { User } });
      const { status, stdout, stderr } = await at.build('FROM hostile\nRUN id -u\n');
      assert.equal(status, 1, `${User}: ${stdout}${stderr}`);
      assert.ok(!/\] 0$/m.test(stderr), stderr);
    }
  });

  test('a working directory is no descriptor of the host', async () => {
    await using at = await makeArena();
    for (const fd of [3, 8, 12]) {
      await at.hostileImage('hostile', { config: { WorkingDir: `/proc/self/fd/${fd}` } });
      const up = '../'.repeat(12);
      const { stdout, stderr } = await at.build(`FROM hostile\nRUN cat ${up}${at.outside}/marker; true\n`);
      assert.ok(!`${stdout}${stderr}`.includes(marker), stderr);
    }
    await at.hostileImage('hostile', { config: { WorkingDir: `/${'../'.repeat(12)}${at.outside}/made` } });
    await at.build('FROM hostile\nWORKDIR below\nRUN echo x > x\n');
    assert.deepEqual(await at.damage(), []);
  });

  test('databases of users that are no files, or lead to the host', async () => {
    await using at = await makeArena();
    const passwd = await readFile('/etc/passwd', 'utf8');
    const name =
      passwd
        .split('\n')
        .find((line) => /^[a-z]+:x:[1-9]/.test(line))
        ?.split(':')[0] ?? 'daemon';
    const replacements = [
      { name: 'etc/passwd', type: 'fifo' as const },
      { name: 'etc/passwd', type: 'symlink' as const, linkname: `${'../'.repeat(12)}etc/passwd` },
      { name: 'etc/passwd', type: 'symlink' as const, linkname: '/proc/1/root/etc/passwd' },
      { name: 'etc/passwd', type: 'symlink' as const, linkname: '/dev/zero' },
      { name: 'etc', type: 'symlink' as const, linkname: '/proc/self/cwd/../../etc' },
    ];
    for (const header of replacements) {
      await at.hostileImage('hostile', { entries: [{ header }] });
      const { status, signal, stderr } = await at.build(`FROM hostile\nCOPY --chown=${name} . /x/\n`);
      assert.deepEqual([status, signal], [1, null], `${JSON.stringify(header)}: ${stderr}`);
    }
  });

  test('a trigger of the base is an instruction like others, and not what the host runs', async () => {
    await using at = await makeArena();
    const OnBuild = [`COPY --from=busybox ${'../'.repeat(12)}${at.outside}/marker /m`];
    await at.hostileImage('hostile', { config: { OnBuild } });
    const { status, stderr } = await at.build('FROM hostile\n');
    assert.equal(status, 1);
    assert.match(stderr, /is not in/);
    await at.hostileImage('hostile', { config: { OnBuild: ['FROM busybox'] } });
    assert.equal((await at.build('FROM hostile\n')).status, 1);
  });
});

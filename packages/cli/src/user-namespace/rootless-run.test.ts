import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';
import {
  cannotBeOrdinary,
  cannotFuse,
  type OrdinaryUser,
  type OrdinaryUserOptions,
  ownRanges,
} from '../testing/ordinary-user.testkit.ts';
import { ownedImage, said, userWithImage } from '../testing/owned-image.testkit.ts';

describe('oci run as an ordinary user', { skip: cannotBeOrdinary('setpriv', 'unshare', 'busybox') }, () => {
  let home: TestHome;
  let archive: string;

  before(async () => {
    home = await testHome();
    archive = await ownedImage(home);
  });
  after(() => home[Symbol.asyncDispose]());

  const loaded = (options: OrdinaryUserOptions): Promise<OrdinaryUser> =>
    userWithImage(home, { ...options, archive });

  const look = ['sh', '-c', 'stat -c "%n %u:%g %a" /owned /locked; touch /new; mount'];

  /** Everything goes: containers, and with the image its layers. */
  async function clear(user: OrdinaryUser): Promise<void> {
    const containers = (await readdir(join(user.store, 'containers'))).filter((name) => name !== 'names');
    if (containers.length > 0) await said(user, 'rm', '-f', ...containers);
    await said(user, 'rmi', 'base');
    await said(user, 'gc', '--grace', '0');
    assert.deepEqual(await readdir(join(user.store, 'containers')), ['names']);
    assert.deepEqual(await layersOf(user), []);
    await nothingIsLeft(user);
  }

  async function layersOf({ store }: OrdinaryUser): Promise<readonly string[]> {
    const names = await readdir(join(store, 'snapshots'));
    assert.deepEqual(names, ['sha256'], 'nothing of a trial is left');
    return readdir(join(store, 'snapshots/sha256'));
  }

  /** What `oci doctor` says of overlays: the verdict, and what was found. */
  async function overlayOf(user: OrdinaryUser): Promise<string> {
    const { findings } = JSON.parse(await said(user, 'doctor', '--json')) as {
      findings: readonly { readonly name: string; readonly verdict: string; readonly found: string }[];
    };
    const finding = findings.find(({ name }) => name === 'overlayfs');
    return `${finding?.verdict}: ${finding?.found}`;
  }

  /** Neither mounts of the host nor processes know of the user. */
  async function nothingIsLeft(user: OrdinaryUser): Promise<void> {
    assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(user.home));
    for (const waited of [0, 50, 200, 1000, 5000]) {
      await sleep(waited);
      if ((await processesOf(user)).length === 0) return;
    }
    assert.deepEqual(await processesOf(user), []);
  }

  async function processesOf(user: OrdinaryUser): Promise<readonly string[]> {
    const found = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (environ.includes(`OCI_STORE=${user.store}\0`)) found.push(pid);
    }
    return found;
  }

  test('without subordinate ids: an overlay in which all is of root, with its own modes', async () => {
    const user = await loaded({ name: 'single', ranges: undefined });
    assert.equal(await overlayOf(user), `ok: works for this user in ${user.store}`);
    const first = await said(user, 'run', '--name', 'one', 'base', ...look);
    assert.match(first, /^\/owned 0:0 600\n\/locked 0:0 0\noverlay on \/ type overlay /);
    const made = await layersOf(user);
    assert.ok(made.length > 0 && made.every((name) => name.endsWith('.single')), made.join());
    assert.equal(await said(user, 'run', '--rm', 'base', 'sh', '-c', 'cat /new || cat /owned'), 'a file');
    assert.deepEqual(await layersOf(user), made, 'used again');
    // What containers share is what a bundle is copied from; the file that nobody may read makes it unpack the image.
    await said(user, 'unpack', 'base', join(user.home, 'bundle'));
    assert.equal((await readFile(join(user.home, 'bundle/rootfs/owned'), 'utf8')).trim(), 'a file');
    await clear(user);
  });

  test('with subordinate ids: the owners of the image, and layers that stay while they are used', {
    skip: cannotBeOrdinary('newuidmap', 'newgidmap'),
  }, async () => {
    const user = await loaded({ name: 'ranges', ranges: ownRanges });
    const first = await said(user, 'run', '--rm', 'base', ...look);
    assert.match(first, /^\/owned 7:8 600\n\/locked 0:0 0\noverlay on \/ type overlay /);
    assert.match(
      await said(user, 'run', '--rm', '--pid', 'host', '-u', 'app', 'base', 'id'),
      /^uid=7\(app\)/,
    );
    const made = await layersOf(user);
    assert.ok(made.length > 0 && made.every((name) => name.endsWith('.namespace')), made.join());
    await said(user, 'run', '-d', '--name', 'two', 'base', 'sh', '-c', 'touch /x; chown 7:8 /x; sleep 600');
    await said(user, 'rmi', '-f', 'base');
    await said(user, 'gc', '--grace', '0');
    assert.deepEqual(await layersOf(user), made, 'a container needs them');
    assert.equal(
      await said(user, 'exec', '-u', 'app', 'two', 'sh', '-c', 'id -u; stat -c %u:%g /owned'),
      '7\n7:8',
    );
    await said(user, 'exec', 'two', 'sh', '-c', 'echo late:x:9:9::/: >> /etc/passwd');
    assert.equal(
      await said(user, 'exec', '-u', 'late', 'two', 'id', '-u'),
      '9',
      'as it is in the container now',
    );
    await said(user, 'load', '-q', '--name', 'base', '-i', archive);
    await clear(user);
  });

  test('a caller that is killed leaves a container that can be removed, and no mount', async () => {
    const user = await loaded({ name: 'killed', ranges: undefined });
    const child = user.start('run', 'base', 'sh', '-c', 'echo up; sleep 600');
    const ended = once(child, 'exit');
    if (child.stdout !== null) await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await ended;
    await nothingIsLeft(user);
    await clear(user);
  });

  /** Programs that fail in the namespace. The test itself mounts as well. */
  async function failing(directory: string, ...names: readonly string[]): Promise<string> {
    const programs = join(home.directory, directory);
    await mkdir(programs);
    const path = process.env['PATH'] ?? '';
    for (const name of names) {
      const lines = [
        '#!/bin/sh',
        '[ "$OCI_IN_USER_NAMESPACE" ] && exit 32',
        `PATH=${path} exec ${name} "$@"`,
        '',
      ];
      await writeFile(join(programs, name), lines.join('\n'), { mode: 0o755 });
    }
    return programs;
  }

  test('where overlayfs cannot be mounted: a copy', async () => {
    const path = await failing('programs', 'mount', 'fuse-overlayfs');
    const user = await loaded({ name: 'copying', ranges: undefined, path });
    const first = await said(user, 'run', '--rm', 'base', ...look);
    assert.match(first, /^\/owned 0:0 600\n\/locked 0:0 0\n/);
    assert.doesNotMatch(first, /overlay.* on \/ /);
    assert.match(await overlayOf(user), /^limited: refused to this user in .*snapshots$/);
    const made = await layersOf(user);
    assert.ok(made.length > 0 && made.every((name) => name.endsWith('.user')), made.join());
    await clear(user);
  });

  test('fuse-overlayfs, where the kernel’s cannot be mounted, ends with the container', {
    skip: cannotFuse() || cannotBeOrdinary('newuidmap', 'newgidmap'),
  }, async () => {
    const path = await failing('kernelless', 'mount');
    const user = await loaded({ name: 'fuse', ranges: ownRanges, path, hasFuse: true });
    const first = await said(user, 'run', '--rm', '-u', '0', 'base', ...look);
    assert.match(first, /^\/owned 7:8 600\n\/locked 0:0 0\nfuse-overlayfs on \/ type fuse/);
    assert.match(await overlayOf(user), /^ok: by fuse-overlayfs in .*snapshots$/);
    await said(user, 'run', '-d', '--name', 'two', 'base', 'sh', '-c', 'rm /etc/passwd; sleep 600');
    assert.equal(await said(user, 'exec', 'two', 'stat', '-c', '%u:%g', '/owned'), '7:8');
    await said(user, 'stop', '-t', '0', 'two');
    await nothingIsLeft(user);
    await clear(user);
  });
});

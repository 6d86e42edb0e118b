import assert from 'node:assert/strict';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RuntimeSpec } from '@ocijs/bundle';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';
import { cannotBeOrdinary, ownRanges } from '../testing/ordinary-user.testkit.ts';
import { ownedImage, said, userWithImage } from '../testing/owned-image.testkit.ts';

const runtimeProgram = fileURLToPath(new URL('../../../runtime/bin/oci-runtime.js', import.meta.url));
const needs = ['setpriv', 'unshare', 'busybox', 'newuidmap', 'newgidmap'];

interface Owned {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
}

describe('oci unpack in a user namespace', { skip: cannotBeOrdinary(...needs) }, () => {
  let home: TestHome;
  let archive: string;

  before(async () => {
    home = await testHome();
    archive = await ownedImage(home);
  });
  after(() => home[Symbol.asyncDispose]());

  async function owner(path: string): Promise<readonly number[]> {
    const { uid, gid, mode } = await lstat(path);
    return [uid, gid, mode & 0o7777];
  }

  test('files belong to subordinate ids, containers see the image’s, and repack gives them back', async () => {
    const user = await userWithImage(home, { name: 'ranges', ranges: ownRanges, archive });
    const bundle = join(user.home, 'bundle');
    await said(user, 'unpack', '--userns', 'base', bundle);
    assert.deepEqual(await owner(join(bundle, 'rootfs/owned')), [200_006, 200_007, 0o600]);
    assert.deepEqual(await owner(join(bundle, 'rootfs/locked')), [65_534, 65_534, 0]);
    assert.deepEqual(await owner(bundle), [65_534, 65_534, 0o700]);

    const file = join(bundle, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as RuntimeSpec;
    const command = ['sh', '-c', 'stat -c "%u:%g" /owned; touch /new; chown 9:9 /new'];
    await writeFile(file, JSON.stringify({ ...config, process: { ...config.process, args: command } }));
    const launches = [[process.execPath, runtimeProgram, '--root', join(user.home, 'own')]];
    if (cannotBeOrdinary('runc') === false) launches.push(['runc', '--root', join(user.home, 'runc')]);
    for (const [index, words] of launches.entries()) {
      const { status, stdout, stderr } = await user.run(...words, 'run', '-b', bundle, `c${index}`);
      assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
      assert.equal(stdout, '7:8', words.join(' '));
    }
    assert.equal(await said(user, 'run', '--rm', '--bundle', bundle), '7:8');

    await said(user, 'repack', bundle, 'new');
    const listed = JSON.parse(await said(user, 'ls', '--json', 'new', '/')) as readonly Owned[];
    const found = new Map(listed.map(({ path, uid, gid }) => [path.replace(/^\//, ''), [uid, gid]]));
    assert.deepEqual(found.get('owned'), [7, 8]);
    assert.deepEqual(found.get('new'), [9, 9]);
    const { layers } = JSON.parse(await said(user, 'inspect', '--raw', 'new')) as { layers: unknown[] };
    const base = JSON.parse(await said(user, 'inspect', '--raw', 'base')) as { layers: unknown[] };
    assert.deepEqual(layers.slice(0, -1), base.layers, 'nothing but what was changed is in the new layer');
  });

  test('maps may be chosen; ids that they lack are an error, and nothing is left', async () => {
    const user = await userWithImage(home, { name: 'maps', ranges: ownRanges, archive });
    const maps = (last: string): readonly string[] =>
      ['uid', 'gid'].flatMap((kind) => [`--${kind}-map`, '0:65534:1', `--${kind}-map`, last]);
    const bundle = join(user.home, 'bundle');
    await said(user, 'unpack', ...maps('1:200100:100'), '--rootfs-only', 'base', bundle);
    assert.deepEqual(await owner(join(bundle, 'owned')), [200_106, 200_107, 0o600]);
    const failed = await user.oci(
      'unpack',
      '--json',
      ...maps('1:200000:3'),
      'base',
      join(user.home, 'other'),
    );
    assert.equal(failed.status, 1, failed.stderr);
    assert.equal(JSON.parse(failed.stdout).error.code, 'ERR_OCI_LAYER_INVALID');
    await assert.rejects(lstat(join(user.home, 'other')), { code: 'ENOENT' });
  });

  test('takes subordinate ids, and is not for root', async () => {
    const user = await userWithImage(home, { name: 'none', ranges: undefined, archive });
    const refused = await user.oci('unpack', '--userns', 'base', join(user.home, 'bundle'));
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /subordinate ids/);
    assert.equal((await home.oci('unpack', '--userns', 'base', join(home.directory, 'x'))).status, 2);
  });
});

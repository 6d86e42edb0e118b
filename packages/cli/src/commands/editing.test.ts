import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildLayer, createLayout, parsePlatform, writeImage } from '@ocijs/image';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

describe('looking into images and editing them', () => {
  let home: TestHome;
  let base: string;

  before(async () => {
    home = await testHome();
    base = `oci:${join(home.directory, 'layout')}:base`;
    await using store = await createLayout(join(home.directory, 'layout'));
    const one = await buildLayer([
      { header: { name: 'etc/', type: 'directory' } },
      { header: { name: 'etc/motd', mode: 0o4755, uid: 7 }, body: Buffer.from('hello\n') },
      { header: { name: 'link', type: 'symlink', linkname: 'etc/motd' } },
    ]);
    const two = await buildLayer([{ header: { name: 'etc/two' }, body: Buffer.from('2') }]);
    const config = { Cmd: ['/bin/sh'], Env: ['A=1'] };
    await writeImage(store, { layers: [one, two], config, name: 'base', created: 1_600_000_000 });
    await writeImage(store, { layers: [one], config, name: 'lower', created: 1_600_000_000 });
    const other = await buildLayer([{ header: { name: 'etc/two' }, body: Buffer.from('other') }]);
    await writeImage(store, { layers: [other], config: { Cmd: ['/bin/new'] }, name: 'newer' });
    for (const platform of ['linux/amd64', 'linux/arm64'])
      await writeImage(store, {
        layers: [one],
        platform: parsePlatform(platform),
        name: platform.replace('/', '-'),
      });
  });
  after(() => home[Symbol.asyncDispose]());

  const oci = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await home.oci(...args);
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const json = async (...args: readonly string[]) => JSON.parse(await oci(...args, '--json'));
  const layout = (name: string): string => `oci:${join(home.directory, 'layout')}:${name}`;

  test('ls lists a directory, everything, or one file', async () => {
    assert.equal(await oci('ls', base), '/etc\n/link\n');
    assert.equal(await oci('ls', base, '/etc'), '/etc/motd\n/etc/two\n');
    assert.match(await oci('ls', base, '-R', '-l'), /-rwsr-xr-x {3}7:0 +6 +1970-01-01T00:00:00 +\/etc\/motd/);
    const [file] = await json('ls', base, 'link');
    assert.deepEqual([file.path, file.mode, file.layer], ['/etc/motd', '4755', 1]);
    assert.equal((await home.oci('ls', base, '/nothing')).status, 1);
  });

  test('cat prints a file, also through a link', async () => {
    assert.equal(await oci('cat', base, '/link'), 'hello\n');
    assert.equal((await home.oci('cat', base, '/etc')).status, 1);
  });

  test('history numbers the layers', async () => {
    const lines = await json('history', base);
    assert.deepEqual(
      lines.map(({ layer }: { layer: number }) => layer),
      [2, 1],
    );
    assert.match(await oci('history', base), /^LAYER +CREATED/);
  });

  test('config and annotate', async () => {
    await oci(
      'config',
      base,
      'edited',
      '--env',
      'B=x=y',
      '--unset-env',
      'A',
      '--cmd',
      '["a", "b"]',
      '--port',
      '80',
    );
    const { config } = (await json('inspect', 'edited')).config;
    assert.deepEqual(config, { Cmd: ['a', 'b'], Env: ['B=x=y'], ExposedPorts: { '80/tcp': {} } });
    const { digest } = await json('annotate', 'edited', '--set', 'org.example=1');
    const inspected = await json('inspect', 'edited');
    assert.deepEqual([inspected.digest, inspected.annotations], [digest, { 'org.example': '1' }]);
    assert.equal((await home.oci('config', base, 'edited', '--cmd', '[1]')).status, 2);
  });

  test('append, squash, flatten and export keep the files', async () => {
    const directory = join(home.directory, 'files');
    await mkdir(join(directory, 'opt'), { recursive: true });
    await writeFile(join(directory, 'opt/app'), 'app');
    const skip = process.platform !== 'linux';
    if (skip) return;
    const env = ['--history.created', '1700000000'];
    const first = await json('append', base, 'app', directory, ...env);
    assert.equal((await json('append', base, 'app', directory, ...env)).digest, first.digest);
    assert.equal((await json('append', base, 'app', directory, ...env)).layer.digest, first.layer.digest);
    await oci('append', 'app', 'chunked', directory, '--compression', 'zstd:chunked');
    const files = async (name: string) => {
      const path = join(home.directory, 'out.tar');
      await oci('export', name, '-o', path);
      return readFile(path);
    };
    await oci('squash', 'app', 'small', '--layers', '2-');
    await oci('flatten', 'app', 'flat', '--compression', 'zstd');
    assert.equal((await json('inspect', 'small')).layers.length, 2);
    assert.equal((await json('inspect', 'flat')).layers.length, 1);
    assert.equal(await oci('ls', 'flat', '-R'), await oci('ls', 'app', '-R'));
    assert.ok((await files('small')).includes('opt/app'));
    await oci('squash', 'app', 'above', '--base', layout('lower'));
    assert.equal((await json('inspect', 'above')).layers.length, 2);
    for (const name of ['app', 'chunked', 'small', 'flat']) await oci('validate', name);
  });

  test('an archive that is compressed already keeps its bytes', async () => {
    const tar = join(home.directory, 'files.tar');
    await oci('export', layout('lower'), '-o', tar);
    const plain = await json('append', base, 'archive', tar, '--compression', 'none');
    const stored = (await json('append', base, 'archive', tar)).layer;
    assert.equal(plain.layer.diffId, stored.diffId);
    const gz = join(home.directory, 'store', 'blobs', stored.digest.replace(':', '/'));
    const again = (await json('append', base, 'archive', gz)).layer;
    assert.deepEqual([again.digest, again.diffId], [stored.digest, stored.diffId]);
    await writeFile(tar, 'no archive at all'.repeat(100));
    assert.equal((await home.oci('append', base, 'archive', tar)).status, 1);
  });

  test('rebase reports what both sides changed', async () => {
    const report = await json(
      'rebase',
      base,
      'rebased',
      '--old-base',
      layout('lower'),
      '--new-base',
      layout('newer'),
    );
    assert.deepEqual(report.conflicts, [{ path: 'etc/two', base: 'added' }]);
    assert.equal(await oci('cat', 'rebased', '/etc/two'), '2');
    assert.equal((await home.oci('rebase', base, 'x', '--new-base', layout('newer'))).status, 2);
    assert.equal(
      (await home.oci('rebase', base, 'x', '--old-base', layout('newer'), '--new-base', base)).status,
      1,
    );
  });

  test('diff says what differs and why the digest does', async () => {
    assert.match(await oci('diff', base, base), /the images are the same/);
    const files = await json('diff', layout('lower'), base);
    assert.deepEqual(files.files, [{ kind: 'added', path: '/etc/two', differences: [] }]);
    await oci('config', base, 'user', '--user', 'x');
    const config = await json('diff', base, 'user');
    assert.match(config.reason, /the layers are the same; the configuration differs/);
    assert.ok(config.config.some(({ field }: { field: string }) => field === 'config.User'));
  });

  test('index brings platforms under one name', async () => {
    await oci(
      'index',
      'create',
      'multi',
      layout('linux-amd64'),
      layout('linux-arm64'),
      '--platform',
      'linux/amd64',
    )
      .then(() => assert.fail('the arm64 image is not for amd64'))
      .catch((error: Error) => assert.match(error.message, /linux\/arm64/));
    await oci('index', 'create', 'multi', layout('linux-amd64'), layout('linux-arm64'));
    assert.match(await oci('ls', 'multi', '--platform', 'linux/arm64'), /etc/);
    const index = JSON.parse((await home.oci('manifest', 'inspect', 'multi')).stdout);
    assert.equal(index.manifests.length, 2, 'manifest inspect shows the index itself');
    const single = JSON.parse(
      (await home.oci('manifest', 'inspect', 'multi', '--platform', 'linux/arm64')).stdout,
    );
    assert.ok(Array.isArray(single.layers));
    await oci('index', 'remove', 'multi', 'linux/arm64');
    assert.equal((await home.oci('ls', 'multi', '--platform', 'linux/arm64', '--pull', 'never')).status, 1);
    assert.equal((await home.oci('index', 'remove', 'multi', 'linux/riscv64')).status, 1);
    await oci('fsck');
  });

  test('repack makes an image of an edited bundle', {
    skip: process.platform !== 'linux' && 'needs Linux',
  }, async () => {
    const bundle = join(home.directory, 'bundle');
    await oci('unpack', base, bundle);
    await appendFile(join(bundle, 'rootfs/etc/motd'), 'more\n');
    await rm(join(bundle, 'rootfs/etc/two'));
    const target = layout('repacked');
    const { changes, digest } = await json('repack', bundle, target, '--refresh-bundle');
    assert.ok(changes >= 2);
    assert.equal(await oci('cat', target, '/etc/motd'), 'hello\nmore\n');
    assert.equal(await oci('ls', target, '/etc'), '/etc/motd\n');
    const again = await json('repack', bundle, target);
    assert.deepEqual([again.changes, again.digest], [0, digest]);
    await writeFile(join(bundle, 'oci.json.umoci'), '');
    await rm(join(bundle, 'oci.json'));
    assert.equal((await home.oci('repack', bundle, target)).status, 1);
  });
});

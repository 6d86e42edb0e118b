import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildLayer, writeImage } from '@ocijs/image';
import { type FaultPlan, startTestRegistry, type TestRegistry } from '@ocijs/registry/testing';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

const noise = randomBytes(6 * 1024 * 1024);

describe('oci unpack docker://', {
  skip: process.platform !== 'linux' && 'needs Linux',
}, () => {
  let home: TestHome;
  let registry: TestRegistry;
  let plan: FaultPlan = () => undefined;

  before(async () => {
    home = await testHome();
    registry = await startTestRegistry({ plan: (request) => plan(request) });
    const layers = [
      await buildLayer([{ header: { name: 'noise' }, body: noise }]),
      await buildLayer([{ header: { name: 'etc/file' }, body: Buffer.from('x') }]),
    ];
    await writeImage(registry.store, { layers, name: 'app:1' });
  });
  after(async () => {
    await registry.close();
    await home[Symbol.asyncDispose]();
  });

  const unpack = (target: string) =>
    home.oci('unpack', '--rootless', '--rootfs-only', `docker://${registry.host}/app:1`, target);

  test('goes straight to the files, and survives a broken connection', async () => {
    const target = join(home.directory, 'streamed');
    let broken = false;
    plan = ({ path, count }) => {
      if (!path.includes('/blobs/') || broken || count > 1) return undefined;
      broken = true;
      return { kind: 'truncate', after: 2_000_000 };
    };
    const { status, stderr } = await unpack(target);
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(target).sort(), ['etc', 'noise']);
    assert.ok(readFileSync(join(target, 'noise')).equals(noise));
    assert.equal(readFileSync(join(target, 'etc/file'), 'utf8'), 'x');
    const images = await home.oci('images', '--json');
    assert.deepEqual(JSON.parse(images.stdout), []);
  });

  test('leaves nothing of a layer that is not what the manifest says', async () => {
    const target = join(home.directory, 'damaged');
    plan = ({ path, headers }) =>
      path.includes('/blobs/') && headers['range'] === undefined
        ? { kind: 'corrupt', at: 3_000_000 }
        : undefined;
    const { status, stderr } = await unpack(target);
    assert.equal(status, 1);
    assert.match(stderr, /digest/);
    assert.equal(existsSync(target), false);
    assert.deepEqual(
      readdirSync(home.directory).filter((name) => name.includes('damaged')),
      [],
    );
  });

  test('a bundle as well: a repack gets what it needs from the registry', async () => {
    plan = () => undefined;
    const bundle = join(home.directory, 'bundle');
    const name = `${registry.host}/app:1`;
    const made = await home.oci('unpack', '--rootless', `docker://${name}`, bundle);
    assert.equal(made.status, 0, made.stderr);
    assert.ok(readFileSync(join(bundle, 'rootfs/noise')).equals(noise));
    assert.deepEqual(readdirSync(join(bundle, 'oci.layers')).length, 2);
    assert.deepEqual(JSON.parse((await home.oci('images', '--json')).stdout), []);
    writeFileSync(join(bundle, 'rootfs/etc/file'), 'changed');
    const layout = `oci:${join(home.directory, 'layout')}:new`;
    const never = await home.oci('repack', '--pull', 'never', bundle, layout);
    assert.match(never.stderr, /not in the store/);
    const { status, stderr } = await home.oci('repack', bundle, layout);
    assert.equal(status, 0, stderr);
    assert.equal((await home.oci('cat', layout, '/etc/file')).stdout, 'changed');
    const layers = async (image: string): Promise<readonly unknown[]> =>
      JSON.parse((await home.oci('inspect', '--raw', image)).stdout).layers;
    assert.deepEqual((await layers(layout)).slice(0, -1), await layers(`docker://${name}`));
  });

  test('what the store has is not fetched', async () => {
    plan = () => undefined;
    const name = `${registry.host}/app:1`;
    assert.equal((await home.oci('pull', name)).status, 0);
    const fetched: string[] = [];
    plan = ({ path }) => {
      if (path.includes('/blobs/')) fetched.push(path);
      return undefined;
    };
    const target = join(home.directory, 'stored');
    const { status, stderr } = await home.oci('unpack', '--rootless', `docker://${name}`, target);
    assert.equal(status, 0, stderr);
    // The configuration is read to know what the image is.
    assert.ok(fetched.length <= 1, fetched.join());
    assert.ok(readFileSync(join(target, 'rootfs/noise')).equals(noise));
  });
});

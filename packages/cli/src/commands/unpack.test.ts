import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildLayer, writeImage } from '@ocijs/image';
import { type FaultPlan, startTestRegistry, type TestRegistry } from '@ocijs/registry/testing';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

const noise = randomBytes(6 * 1024 * 1024);

describe('oci unpack --rootfs-only docker://', {
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
});

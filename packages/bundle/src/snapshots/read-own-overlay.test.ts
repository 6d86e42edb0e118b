import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { available } from '@ocijs/linux';
import { lookupUser } from '../spec/user/lookup.ts';
import { makeOwnOverlay } from './own-overlay.ts';
import { readOwnOverlay } from './read-own-overlay.ts';

const skip = available() ? false : 'needs Linux';

/** Forty layers, of which the uppermost and the lowest have something. */
async function overlay() {
  const directory = mkdtempSync(join(tmpdir(), 'oci-own-overlay-'));
  const layers = Array.from({ length: 40 }, (_, index) => join(directory, `layer${index}`));
  for (const layer of layers) mkdirSync(join(layer, 'etc'), { recursive: true });
  const [top = '', bottom = ''] = [layers[0], layers.at(-1)];
  writeFileSync(join(top, 'etc/passwd'), 'app:x:7:8::/home:\n');
  writeFileSync(join(bottom, 'etc/passwd'), 'app:x:1:1::/:\n');
  writeFileSync(join(bottom, 'etc/group'), 'logs:x:77:app\n');
  const bundle = join(directory, 'bundle');
  mkdirSync(bundle);
  await makeOwnOverlay(bundle, layers);
  const upper = join(bundle, 'overlay/upper');
  mkdirSync(join(upper, 'etc'));
  return {
    bundle,
    upper,
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

test('files are those of the uppermost layer, and of the container once it changed them', {
  skip,
}, async () => {
  using place = await overlay();
  const { bundle, upper } = place;
  const look = () => lookupUser((path, limits) => readOwnOverlay(bundle, path, limits), 'app');
  assert.deepEqual(look(), { uid: 7, gid: 8, additionalGids: [77], home: '/home' });
  writeFileSync(join(upper, 'etc/passwd'), 'app:x:9:9::/late:\n');
  assert.equal(look().uid, 9);
  assert.equal(readOwnOverlay(bundle, '/etc/shadow', { limit: 10 }), undefined);
});

test('no link leads out, nothing but a regular file is opened, and no more than the limit is read', {
  skip,
}, async () => {
  using place = await overlay();
  const { bundle, upper, directory } = place;
  const read = (name: string): string | undefined =>
    readOwnOverlay(bundle, `/etc/${name}`, { limit: 100 })?.toString();
  writeFileSync(join(directory, 'secret'), 'secret');
  symlinkSync(join(directory, 'secret'), join(upper, 'etc/absolute'));
  symlinkSync(`${'../'.repeat(20)}${directory}/secret`, join(upper, 'etc/relative'));
  assert.deepEqual([read('absolute'), read('relative')], [undefined, undefined]);
  execFileSync('mkfifo', [join(upper, 'etc/fifo')]);
  mkdirSync(join(upper, 'etc/directory'));
  writeFileSync(join(upper, 'etc/large'), '');
  truncateSync(join(upper, 'etc/large'), 101);
  for (const name of ['fifo', 'directory', 'large'])
    assert.throws(() => read(name), { code: 'ERR_OCI_UNPACK_DENIED' }, name);
});

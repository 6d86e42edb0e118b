import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { available } from '@ocijs/linux';
import { file } from '../rootfs/testing/entries.ts';
import { playground } from '../rootfs/testing/snapshot.ts';
import { tryLockDirectory } from '../snapshots/lock.ts';
import { layerOf, memoryImage, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';

test('what a killed process left is removed, what somebody works in is not, nor what only looks like it', {
  skip,
}, async () => {
  using place = playground();
  const at = (name: string): string => join(place.directory, name);
  for (const name of [
    '.bundle.oci-abc123',
    '.bundle.oci-used00',
    '.bundle.abc123',
    '.bundle.oci-longer-name',
    '.other.oci-abc123',
  ]) {
    mkdirSync(at(name), { recursive: true });
    mkdirSync(at(`${name}/rootfs`));
    writeFileSync(at(`${name}/rootfs/file`), '');
    chmodSync(at(`${name}/rootfs`), 0o500);
  }
  using used = tryLockDirectory(at('.bundle.oci-used00'), { exclusive: true });
  assert.ok(used);
  await unpack(memoryImage([layerOf(await tarBytes([file('f')]))]), at('bundle'));
  assert.deepEqual(readdirSync(place.directory).sort(), [
    '.bundle.abc123',
    '.bundle.oci-longer-name',
    '.bundle.oci-used00',
    '.other.oci-abc123',
    'bundle',
  ]);
  assert.equal(tryLockDirectory(at('.bundle.oci-used00'), { exclusive: true }), undefined);
});

test('an unpack that is killed leaves no target, and nothing at all after the next one', {
  skip,
}, async () => {
  using place = playground();
  const program = `
    import { unpack } from ${JSON.stringify(new URL('./unpack.ts', import.meta.url).href)};
    import { memoryImage, layerOf, tarBytes } from ${JSON.stringify(new URL('./testing/memory-image.ts', import.meta.url).href)};
    const entries = Array.from({ length: 3_000 }, (_, index) => ({ name: 'f' + index, type: 'file', content: 'x' }));
    await unpack(memoryImage([layerOf(await tarBytes(entries))]), ${JSON.stringify(join(place.directory, 'bundle'))});`;
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const staged = (): boolean => readdirSync(place.directory).some((name) => name.startsWith('.bundle.oci-'));
  while (!staged() && child.exitCode === null) await sleep(1);
  child.kill('SIGKILL');
  await ended;
  assert.ok(!existsSync(join(place.directory, 'bundle')) || !staged());
  if (existsSync(join(place.directory, 'bundle'))) return;
  await unpack(memoryImage([layerOf(await tarBytes([file('f')]))]), join(place.directory, 'bundle'));
  assert.deepEqual(readdirSync(place.directory), ['bundle']);
});

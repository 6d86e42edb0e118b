import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { scene } from '../testing/scene.ts';
import { formatLock, parseLock, updateLock } from './lock-file.ts';
import type { BuildSource } from './source-record.ts';

const digest = `sha256:${'1'.repeat(64)}`;

test('a lock file is read as it was written, in an order that does not depend on the build', () => {
  const sources: readonly BuildSource[] = [
    { type: 'image', name: 'b', platform: 'linux/amd64', digest },
    { type: 'git', name: 'git://x/y#z', digest: '2'.repeat(40) },
    { type: 'http', name: 'https://x/y', digest },
  ];
  const text = formatLock(sources);
  assert.equal(formatLock(parseLock(text).toReversed()), text);
  assert.deepEqual(parseLock(formatLock([])), []);
  const [git, http, image] = parseLock(text);
  assert.ok(git && http && image);
  const moved = { ...git, digest: '3'.repeat(40) };
  assert.deepEqual(updateLock([git, image], [moved, http]), [moved, http, image]);
});

test('a lock file that cannot be one is refused', () => {
  const texts = [
    '',
    '[]',
    '{"lockVersion":2,"sources":[]}',
    '{"lockVersion":1}',
    '{"lockVersion":1,"sources":[{"type":"x","name":"a","digest":"sha256:1"}]}',
    `{"lockVersion":1,"sources":[{"type":"git","name":"a","digest":"../${'1'.repeat(40)}"}]}`,
  ];
  for (const text of texts)
    assert.throws(
      () => parseLock(text),
      (error) => isOciError(error, 'ERR_OCI_BUILD_LOCK_INVALID'),
      text,
    );
});

test('a build tells what it took from outside, and with a lock takes nothing else', async () => {
  await using at = await scene({ a: 'a' });
  const base = await at.build('FROM scratch\nCOPY a /a', { names: ['base'] });
  const text = 'FROM base\nCOPY a /b';
  const { sources } = await at.build(text);
  assert.deepEqual(
    sources.map(({ type, name, digest: found }) => [type, name, found]),
    [['image', 'base', base.descriptor.digest]],
  );
  assert.equal((await at.build(text, { locked: sources })).steps.done, 0);
  const refused = (locked: readonly BuildSource[], message: RegExp): Promise<void> =>
    assert.rejects(at.build(text, { locked }), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_BUILD_LOCK_DRIFT'));
      assert.match(error.message, message);
      return true;
    });
  await refused([], /base is not in the lock file/);
  await at.build('FROM scratch\nCOPY a /other', { names: ['base'] });
  await refused(sources, /base is not what the lock file says/);
});

test('squash: one layer for what the target adds, the same files', async () => {
  await using at = await scene({ a: 'a', b: 'b' });
  await at.build('FROM scratch\nCOPY a /a', { names: ['base'] });
  const text = 'FROM base AS one\nCOPY b /b\nFROM one\nCOPY a /c\nLABEL x=y';
  const plain = await at.build(text);
  const squashed = await at.build(text, { squash: true });
  assert.deepEqual([plain.image.manifest.layers.length, squashed.image.manifest.layers.length], [3, 2]);
  assert.deepEqual(squashed.image.manifest.layers[0], plain.image.manifest.layers[0]);
  assert.deepEqual(await at.files(squashed), await at.files(plain));
  assert.deepEqual(squashed.image.config.config, plain.image.config.config);
});

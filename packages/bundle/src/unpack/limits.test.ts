import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { contentThreadSize, type LayerLimits } from '../limits.ts';
import { file } from '../rootfs/testing/entries.ts';
import { playground } from '../rootfs/testing/snapshot.ts';
import { layerOf, memoryImage, type TestLayer, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';
const zeros = Buffer.alloc(70 * 1024 * 1024);

interface Refusal {
  readonly limits?: LayerLimits;
  readonly code: string;
}

async function refused(layer: TestLayer, { limits, code }: Refusal): Promise<void> {
  using place = playground();
  await assert.rejects(
    unpack(memoryImage([layer]), join(place.directory, 'bundle'), { limits }),
    (error) => isOciError(error) && error.code === code,
  );
  assert.deepEqual(readdirSync(place.directory), []);
}

for (const compression of ['gzip', 'zstd'] as const) {
  test(`a bomb in ${compression} is refused, and passes when it is asked for`, { skip }, async () => {
    const bomb = layerOf(await tarBytes([file('zeros', '', { content: zeros })]), compression);
    await refused(bomb, { code: 'ERR_OCI_LIMIT_EXCEEDED' });
    using place = playground();
    await unpack(memoryImage([bomb]), join(place.directory, 'bundle'), { limits: { ratio: 100_000 } });
  });
}

test('bytes and entries, by one thread and by several', { skip }, async () => {
  for (const content of [Buffer.from('small'), randomBytes(contentThreadSize)]) {
    const tar = await tarBytes([file('a', '', { content }), file('b'), file('c')]);
    for (const compression of ['gzip', 'zstd', 'none'] as const) {
      const layer = layerOf(tar, compression);
      await refused(layer, { limits: { bytes: tar.length - 1 }, code: 'ERR_OCI_LIMIT_EXCEEDED' });
      await refused(layer, { limits: { entries: 2 }, code: 'ERR_OCI_LAYER_INVALID' });
      using place = playground();
      const limits = { bytes: tar.length, entries: 3 };
      await unpack(memoryImage([layer]), join(place.directory, 'bundle'), { limits });
    }
  }
});

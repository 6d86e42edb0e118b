import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { digestBytes, MediaType } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { directory, file } from '../rootfs/testing/entries.ts';
import { paths, playground } from '../rootfs/testing/snapshot.ts';
import { memoryImage, type TestLayer, tarBytes } from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';

async function check(compress: (tar: Buffer) => Buffer, mediaType: string): Promise<void> {
  using place = playground();
  const text = 'some text '.repeat(50_000);
  const tar = await tarBytes([directory('bin'), file('bin/text', text), file('stargz.index.json', '{}')]);
  const layer: TestLayer = { blob: compress(tar), mediaType, diffId: digestBytes(tar) };
  const { rootfs } = await unpack(memoryImage([layer, layer]), join(place.directory, 'bundle'));
  assert.deepEqual(paths(rootfs), ['bin', 'bin/text', 'stargz.index.json']);
  assert.equal(readFileSync(join(rootfs, 'bin/text'), 'utf8'), text);
}

for (const program of ['xz', 'bzip2']) {
  const missing = spawnSync(program, ['--version'], { input: '' }).error;
  test(
    `a layer in ${program}, whatever its media type says`,
    {
      skip: skip || (missing ? `needs ${program}` : false),
    },
    () =>
      check((tar) => spawnSync(program, ['-c'], { input: tar, maxBuffer: 1e9 }).stdout, MediaType.layerGzip),
  );
}

test('eStargz: a gzip member for each part, and an empty one with an extra field at the end', {
  skip,
}, () => {
  const extra = Buffer.from([0x1a, 0, 0x53, 0x47, 0x16, 0, ...Buffer.from('0000000000001000STARGZ')]);
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
  const footer = Buffer.concat([head, extra, deflateRawSync(''), Buffer.alloc(8)]);
  return check((tar) => {
    const parts = Array.from({ length: Math.ceil(tar.length / 20_000) }, (_, index) =>
      gzipSync(tar.subarray(index * 20_000, (index + 1) * 20_000)),
    );
    return Buffer.concat([...parts, footer]);
  }, MediaType.layerGzip);
});

test('zstd:chunked: frames for files, then its tables in skippable frames', { skip }, () => {
  const skippable = (content: Buffer): Buffer => {
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(0x184d2a50, 0);
    frame.writeUInt32LE(content.length, 4);
    return Buffer.concat([frame, content]);
  };
  return check((tar) => {
    const parts = Array.from({ length: Math.ceil(tar.length / 20_000) }, (_, index) =>
      zstdCompressSync(tar.subarray(index * 20_000, (index + 1) * 20_000)),
    );
    const table = skippable(zstdCompressSync('{"version":1,"entries":[]}'));
    return Buffer.concat([...parts, table, skippable(Buffer.alloc(64, 1))]);
  }, MediaType.layerZstd);
});

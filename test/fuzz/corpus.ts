import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';

const archives = new URL('../../packages/image/src/tar/testdata/archives/', import.meta.url).pathname;

/** Archives that other projects test with; none larger than 64 KiB. */
export function tarCorpus(): readonly Buffer[] {
  const found: Buffer[] = [];
  for (const directory of readdirSync(archives)) {
    for (const name of readdirSync(join(archives, directory))) {
      const bytes = gunzipSync(readFileSync(join(archives, directory, name)));
      if (bytes.length <= 65_536) found.push(bytes);
    }
  }
  return found;
}

const texts = [
  '',
  'a',
  'some text '.repeat(300),
  Array.from({ length: 2_000 }, (_, index) => index).join(' '),
];

/** gzip streams with every kind of block and header, and of several members. */
export function gzipCorpus(): readonly Buffer[] {
  const members = texts.flatMap((text) => [0, 1, 9].map((level) => gzipSync(text, { level })));
  const [small = Buffer.alloc(0)] = members;
  const named = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]),
    Buffer.from('name\0'),
    deflateRawSync(''),
    Buffer.alloc(8),
  ]);
  return [
    ...members,
    named,
    Buffer.concat([...members.slice(3, 7), Buffer.alloc(100)]),
    Buffer.concat([small, named]),
  ];
}

/** zstd streams, with skippable frames and several frames. */
export function zstdCorpus(): readonly Buffer[] {
  const frames = texts.flatMap((text) =>
    [1, 19].map((level) => zstdCompressSync(text, { params: { 100: level } })),
  );
  const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('skip')]);
  return [
    ...frames,
    Buffer.concat([skippable, ...frames.slice(2, 5), skippable]),
    Buffer.concat([...frames, Buffer.alloc(20)]),
  ];
}

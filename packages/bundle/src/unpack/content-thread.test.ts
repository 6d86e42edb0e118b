import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestBytes, type ImageSource, isOciError, type OciEvent } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { contentThreadSize } from '../limits.ts';
import { directory, file, type TestEntry } from '../rootfs/testing/entries.ts';
import { type Playground, paths, playground } from '../rootfs/testing/snapshot.ts';
import {
  layerOf,
  memoryImage,
  type TestImageOptions,
  type TestLayer,
  tarBytes,
} from './testing/memory-image.ts';
import { unpack } from './unpack.ts';

const skip = available() ? false : 'needs Linux';

/** Incompressible, so that a layer with it is large enough for a content thread; in base64, since contents are text. */
const noise = randomBytes(contentThreadSize + 100_000).toString('base64');
const entries: readonly TestEntry[] = [directory('bin'), file('bin/large', noise), file('bin/small', 's')];
const hostile: readonly TestEntry[] = [file('first'), file('.wh...'), file('large', noise)];

const layers = new Map<string, TestLayer>();

async function largeLayer(
  content: readonly TestEntry[] = entries,
  compression: 'gzip' | 'zstd' | 'none' = 'gzip',
): Promise<TestLayer> {
  const key = `${compression} ${content[0]?.name}`;
  const layer = layers.get(key) ?? layerOf(await tarBytes(content), compression);
  layers.set(key, layer);
  assert.ok(layer.blob.length >= contentThreadSize);
  return layer;
}

function from(kind: 'file' | 'stream', place: Playground): TestImageOptions {
  if (kind === 'stream') return { chunkSize: 100_000 };
  const blobs = join(place.directory, 'blobs');
  mkdirSync(blobs, { recursive: true });
  return { directory: blobs };
}

/** What is left when the blobs are not counted. */
function left({ directory: path }: Playground): readonly string[] {
  return readdirSync(path).filter((name) => name !== 'blobs');
}

for (const kind of ['file', 'stream'] as const) {
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    test(`a large layer, ${compression} from a ${kind}, then a small one`, { skip }, async () => {
      using place = playground();
      const small = layerOf(await tarBytes([file('bin/small', 'replaced')]));
      const events: OciEvent[] = [];
      const stack = [await largeLayer(entries, compression), small, await largeLayer([file('x', noise)])];
      const source = memoryImage(stack, from(kind, place));
      const bundle = await unpack(source, join(place.directory, 'bundle'), {
        onEvent: (event) => events.push(event),
      });
      assert.deepEqual(paths(bundle.rootfs), ['bin', 'bin/large', 'bin/small', 'x']);
      assert.equal(readFileSync(join(bundle.rootfs, 'bin/large'), 'utf8'), noise);
      assert.equal(readFileSync(join(bundle.rootfs, 'bin/small'), 'utf8'), 'replaced');
      const done = events.filter((event) => event.type === 'layer-done').map((event) => event.entries);
      assert.deepEqual(done, [3, 1, 1]);
      const progress = events.flatMap((event) => (event.type === 'layer-progress' ? [event.done] : []));
      assert.equal(progress.at(-1), stack[2]?.blob.length);
    });
  }
}

test('several gzip members and padding', { skip }, async () => {
  using place = playground();
  const tar = await tarBytes(entries);
  const middle = tar.length >> 1;
  const parts = [gzipSync(tar.subarray(0, middle)), gzipSync(tar.subarray(middle)), Buffer.alloc(1_000)];
  const layer = { ...(await largeLayer()), blob: Buffer.concat(parts) };
  const bundle = await unpack(memoryImage([layer]), join(place.directory, 'bundle'));
  assert.equal(readFileSync(join(bundle.rootfs, 'bin/large'), 'utf8'), noise);
});

const flip =
  (position: (blob: Buffer) => number) =>
  (blob: Buffer): Buffer => {
    const at = position(blob);
    blob[at] = (blob[at] ?? 0) ^ 1;
    return blob;
  };
const behind = (blob: Buffer): Buffer => Buffer.concat([blob, Buffer.alloc(10)]);

const failures: readonly {
  readonly name: string;
  readonly code: string;
  readonly content?: readonly TestEntry[];
  readonly damage?: (blob: Buffer) => Buffer;
  readonly change?: (layer: TestLayer) => TestLayer;
}[] = [
  {
    name: 'a flipped byte in the middle',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    damage: flip((b) => b.length >> 1),
  },
  { name: 'a flipped byte in the header', code: 'ERR_OCI_DIGEST_MISMATCH', damage: flip(() => 0) },
  {
    name: 'a flipped byte in the trailer',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    damage: flip((b) => b.length - 5),
  },
  { name: 'a cut off blob', code: 'ERR_OCI_SIZE_MISMATCH', damage: (blob) => blob.subarray(0, -20) },
  { name: 'bytes behind the blob', code: 'ERR_OCI_SIZE_MISMATCH', damage: behind },
  { name: 'a hostile entry', code: 'ERR_OCI_LAYER_ESCAPE', content: hostile },
  {
    name: 'a hostile entry in a damaged blob',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    content: hostile,
    damage: flip((blob) => blob.length - 5),
  },
  {
    name: 'a stream that its maker cut off',
    code: 'ERR_OCI_COMPRESSION_INVALID',
    change: (layer) => ({ ...layer, blob: layer.blob.subarray(0, -20) }),
  },
  {
    name: 'a hostile entry in a stream that its maker cut off',
    code: 'ERR_OCI_LAYER_ESCAPE',
    content: hostile,
    change: (layer) => ({ ...layer, blob: layer.blob.subarray(0, -20) }),
  },
  {
    name: 'another content than the configuration says',
    code: 'ERR_OCI_DIGEST_MISMATCH',
    change: (layer) => ({ ...layer, diffId: digestBytes(Buffer.from('other')) }),
  },
];

for (const { name, code, content, damage, change = (layer: TestLayer): TestLayer => layer } of failures) {
  for (const kind of ['file', 'stream'] as const) {
    test(`${name} (${kind}): ${code}, and nothing is left`, { skip }, async () => {
      using place = playground();
      const options = { ...from(kind, place), ...(damage === undefined ? {} : { damage }) };
      const source = memoryImage([change(await largeLayer(content))], options);
      await assert.rejects(unpack(source, join(place.directory, 'new/bundle')), (error) => {
        assert.ok(isOciError(error, code), String(error));
        return true;
      });
      assert.deepEqual(left(place), []);
    });
  }
}

test('a failing source', { skip }, async () => {
  using place = playground();
  const source = memoryImage([await largeLayer()], from('stream', place));
  const broken: ImageSource = {
    ...source,
    async *openBlob(descriptor) {
      for await (const chunk of source.openBlob(descriptor)) {
        yield chunk;
        throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
      }
    },
  };
  await assert.rejects(unpack(broken, join(place.directory, 'bundle')), { code: 'ECONNRESET' });
  assert.deepEqual(left(place), []);
});

for (const kind of ['file', 'stream'] as const) {
  test(`an abort on the way (${kind}) leaves nothing and no descriptors`, { skip }, async () => {
    using place = playground();
    const source = memoryImage([await largeLayer()], from(kind, place));
    const reason = new Error('enough');
    const open = (): number => readdirSync('/proc/self/fd').length;
    await unpack(source, join(place.directory, 'blobs-warm'));
    const before = open();
    for (let round = 0; round < 3; round += 1) {
      const controller = new AbortController();
      const onEvent = ({ type }: OciEvent): void => {
        if (type === 'layer-progress') controller.abort(reason);
      };
      const { signal } = controller;
      await assert.rejects(unpack(source, join(place.directory, 'bundle'), { signal, onEvent }), reason);
      assert.equal(readdirSync(place.directory).includes('bundle'), false);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(open() <= before, `${open()} descriptors instead of ${before}`);
  });
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { cleanPath, findNode, openImageContents, type Store, writeImage, writeLayer } from '@ocijs/image';
import { remoteImage } from './index.ts';
import type { FaultPlan } from './testing/index.ts';
import { startTestRegistry, type TestRegistry } from './testing/index.ts';

const content = randomBytes(3 * 1024 * 1024);

async function fill(store: Store, format: 'estargz' | 'zstd:chunked'): Promise<void> {
  const entries = [
    { header: { name: 'in-front' }, body: randomBytes(2 * 1024 * 1024) },
    { header: { name: 'wanted' }, body: content },
    { header: { name: 'small' }, body: Buffer.from('small') },
    { header: { name: 'behind' }, body: randomBytes(2 * 1024 * 1024) },
  ];
  await writeImage(store, { layers: [await writeLayer(store, { entries }, { format })], name: 'app:1' });
}

async function read({ host }: TestRegistry, path: string): Promise<Buffer> {
  await using image = await remoteImage(`${host}/app:1`, { env: {}, retryDelayMs: 1 });
  const contents = await openImageContents(image);
  const node = findNode(contents.root, cleanPath(path), { follow: true });
  assert.ok(node);
  const chunks: Uint8Array[] = [];
  for await (const chunk of contents.read(node.inode)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const isBlob = (path: string): boolean => path.includes('/blobs/');

describe('files of layers with a table of contents, in a registry', () => {
  for (const format of ['estargz', 'zstd:chunked'] as const) {
    test(`${format}: only ranges are asked for, and no byte that the file does not take`, async () => {
      const ranges: [number, number][] = [];
      await using registry = await startTestRegistry({
        plan: ({ headers, path }) => {
          const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(headers['range'])) ?? [];
          if (isBlob(path)) ranges.push([Number(from), Number(to)]);
          return undefined;
        },
      });
      await fill(registry.store, format);
      assert.equal((await read(registry, '/small')).toString(), 'small');
      // The configuration is read whole.
      const [, ...asked] = ranges;
      assert.ok(asked.length <= 3);
      const bytes = asked.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      assert.ok(bytes < 8192, `${bytes} bytes`);
    });

    test(`${format}: a broken connection is resumed where it broke`, async () => {
      const ranges: string[] = [];
      let broken = false;
      const plan: FaultPlan = ({ headers, path }) => {
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(headers['range'])) ?? [];
        if (!isBlob(path) || Number(to) - Number(from) < content.length) return undefined;
        ranges.push(String(headers['range']));
        if (broken) return undefined;
        broken = true;
        return { kind: 'truncate', after: 1_000_000 };
      };
      await using registry = await startTestRegistry({ plan });
      await fill(registry.store, format);
      assert.ok((await read(registry, '/wanted')).equals(content));
      assert.ok(broken);
    });

    test(`${format}: a registry without ranges sends the layer`, async () => {
      await using registry = await startTestRegistry({
        plan: ({ path }) => (isBlob(path) ? { kind: 'ignore-range' } : undefined),
      });
      await fill(registry.store, format);
      assert.ok((await read(registry, '/wanted')).equals(content));
    });
  }
});

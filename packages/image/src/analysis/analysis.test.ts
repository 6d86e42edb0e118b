import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import { compareImageTrees } from '../contents/compare-images.ts';
import { readImageTree } from '../contents/image-tree.ts';
import type { ImageSource } from '../source.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { TarWriteEntry } from '../tar/write-tar.ts';
import { analyzeImage } from './analyze-image.ts';
import { compareAnalyses } from './compare-analyses.ts';
import { type HistoryNode, walkHistory } from './file-history.ts';

const file = (name: string, content = '', fields: object = {}): TarWriteEntry => ({
  header: { name, ...fields },
  body: Buffer.from(content),
});
const directory = (name: string, fields: object = {}): TarWriteEntry => ({
  header: { name, type: 'directory', ...fields },
});
const link = (name: string, linkname: string): TarWriteEntry => ({
  header: { name, type: 'link', linkname },
});
const whiteout = (name: string): TarWriteEntry => file(name);

async function imageOf(...layers: readonly (readonly TarWriteEntry[])[]): Promise<ImageSource> {
  const store = createMemoryStore();
  const built = [];
  for (const [index, entries] of layers.entries())
    built.push(await buildLayer(entries, { createdBy: `step ${index}` }));
  await writeImage(store, { layers: built, name: 'test' });
  return store.image('test');
}

/** `path: layer kind differences` for each version. */
function versionsOf(history: HistoryNode): string[] {
  const paths = new Map<HistoryNode, string>();
  return [...walkHistory(history)].flatMap((node) => {
    const parent = node.parent === undefined ? '' : paths.get(node.parent);
    const path = node.parent === undefined ? '' : `${parent}/${node.name}`;
    paths.set(node, path);
    return node.versions.map(({ layer, kind, differences }) =>
      `${path}: ${layer} ${kind} ${differences.join(',')}`.trimEnd(),
    );
  });
}

async function historyOf(...layers: readonly (readonly TarWriteEntry[])[]): Promise<string[]> {
  return versionsOf((await analyzeImage(await imageOf(...layers))).history);
}

describe('the history of the files of an image', () => {
  test('layers add, change and remove', async () => {
    assert.deepEqual(
      await historyOf(
        [directory('a/'), file('a/x', '1'), file('a/y', '2'), file('b', '3')],
        [file('a/x', 'one'), whiteout('.wh.b'), file('c')],
        [file('b', 'again'), file('a/y', '2', { mode: 0o600 })],
      ),
      [
        '/a: 0 added',
        '/a/x: 0 added',
        '/a/x: 1 changed content',
        '/a/y: 0 added',
        '/a/y: 2 changed mode',
        '/b: 0 added',
        '/b: 1 removed',
        '/b: 2 added',
        '/c: 1 added',
      ],
    );
  });

  test('what is in a removed or replaced directory is removed, also by an opaque one', async () => {
    const first = [directory('d/'), directory('d/e/'), file('d/e/f', '1')];
    const removed = ['/d: 0 added', '/d: 1 removed', '/d/e: 0 added', '/d/e: 1 removed'];
    assert.deepEqual(await historyOf(first, [whiteout('.wh.d')]), [
      ...removed,
      '/d/e/f: 0 added',
      '/d/e/f: 1 removed',
    ]);
    assert.deepEqual(await historyOf(first, [file('d', 'now a file')]), [
      '/d: 0 added',
      '/d: 1 changed type',
      '/d/e: 0 added',
      '/d/e: 1 removed',
      '/d/e/f: 0 added',
      '/d/e/f: 1 removed',
    ]);
    assert.deepEqual(await historyOf(first, [whiteout('d/.wh..wh..opq'), file('d/new')]), [
      '/d: 0 added',
      '/d/e: 0 added',
      '/d/e: 1 removed',
      '/d/e/f: 0 added',
      '/d/e/f: 1 removed',
      '/d/new: 1 added',
    ]);
    assert.deepEqual(await historyOf([file('d', '1')], [whiteout('.wh.d'), file('d/f')]), [
      '/d: 0 added',
      '/d: 1 changed type',
      '/d/f: 1 added',
    ]);
  });

  test('a directory that only comes again is not changed, a file that comes again is', async () => {
    assert.deepEqual(
      await historyOf(
        [directory('d/'), file('d/f', '1'), directory('e/')],
        [
          directory('d/', { mtimeNs: 1_000_000_000n }),
          file('d/f', '1'),
          directory('e/', { uid: 5 }),
          directory('./'),
        ],
      ),
      ['/d: 0 added', '/d/f: 0 added', '/d/f: 1 changed', '/e: 0 added', '/e: 1 changed owner'],
    );
  });

  test('a layer is what its entries make of it, one by one: nothing that another layer touched is missed', async () => {
    const layers = [
      [directory('usr/'), directory('usr/bin/'), file('usr/bin/a', '1'), file('usr/bin/b', '2')],
      [file('usr/bin/a', '2'), file('usr/.wh.gone')],
      [whiteout('usr/bin/.wh.b')],
      [whiteout('usr/.wh.bin'), file('usr/bin/c', '3')],
    ];
    const image = await imageOf(...layers);
    const { history } = await analyzeImage(image);
    for (const layer of layers.keys()) {
      const trees = [
        await readImageTree(image, { layers: { from: 0, to: layer } }),
        await readImageTree(image, { layers: { from: 0, to: layer + 1 } }),
      ] as const;
      const expected = await compareImageTrees(
        { image, root: trees[0] },
        { image, root: trees[1] },
        { only: (path) => path !== '' },
      );
      const found = versionsOf(history).filter((line) => line.includes(`: ${layer} `));
      for (const { kind, path } of expected)
        assert.ok(
          found.some((line) => line.startsWith(`/${path}: ${layer} ${kind}`)),
          `${layer} ${kind} ${path}`,
        );
    }
  });
});

test('each layer is told with its bytes, its counts and the step that made it', async () => {
  const events: number[] = [];
  const image = await imageOf(
    [directory('a/'), file('a/x', '12345'), file('a/y', '123')],
    [file('a/x', '1234567'), whiteout('a/.wh.y'), file('z')],
  );
  const analysis = await analyzeImage(image, {
    onEvent: (event) => event.type === 'layer-read' && events.push(event.index),
  });
  assert.deepEqual(events, [0, 1]);
  const [first, second] = analysis.layers;
  assert.deepEqual(
    [first, second].map((layer) => [
      layer?.history.created_by,
      layer?.entries,
      layer?.bytes,
      layer?.added,
      layer?.changed,
      layer?.removed,
      layer?.wastedBytes,
    ]),
    [
      ['step 0', 3, 8, 3, 0, 0, 8],
      ['step 1', 3, 7, 1, 1, 1, 0],
    ],
  );
  assert.equal(first?.archiveBytes, 6 * 512 - 512 + 1024);
  assert.equal(first?.diffId, image.config.rootfs.diff_ids[0]);
  assert.deepEqual([analysis.files, analysis.bytes, analysis.layerBytes], [2, 7, 15]);
});

describe('wasted space', () => {
  test('is what later layers replace or remove, the most first', async () => {
    const { wasted, layers } = await analyzeImage(
      await imageOf(
        [file('kept', '1'), file('log', '12345'), file('cache', '12345678'), file('many', '12')],
        [file('log', '1'), whiteout('.wh.cache'), file('many', '123')],
        [file('many', '1234'), file('kept', '1', { uid: 1 })],
      ),
    );
    assert.deepEqual(wasted, [
      { path: 'cache', bytes: 8, layers: [0], fate: 'removed' },
      { path: 'log', bytes: 5, layers: [0], fate: 'replaced' },
      { path: 'many', bytes: 5, layers: [0, 1], fate: 'replaced' },
      { path: 'kept', bytes: 1, layers: [0], fate: 'replaced' },
    ]);
    assert.deepEqual(
      layers.map(({ wastedBytes }) => wastedBytes),
      [16, 3, 0],
    );
  });

  test('is not what another hard link still shows, and counts hard links once', async () => {
    const kept = await analyzeImage(await imageOf([file('a', '123'), link('b', 'a')], [whiteout('.wh.a')]));
    assert.deepEqual([kept.wasted, kept.bytes, kept.files], [[], 3, 1]);
    const gone = await analyzeImage(
      await imageOf([file('a', '123'), link('b', 'a')], [whiteout('.wh.a'), whiteout('.wh.b')]),
    );
    assert.deepEqual(gone.wasted, [{ path: 'a', bytes: 3, layers: [0], fate: 'removed' }]);
  });
});

test('duplicates are files of the same content that share nothing', async () => {
  const { duplicates } = await analyzeImage(
    await imageOf(
      [file('a', 'twice'), file('empty'), file('hidden', 'twice'), link('a-link', 'a'), file('one', '1')],
      [file('b', 'twice', { mode: 0o600 }), file('empty2'), whiteout('.wh.hidden'), file('two', '1')],
    ),
  );
  assert.deepEqual(
    duplicates.map(({ size, paths }) => ({ size, paths })),
    [
      { size: 5, paths: ['a', 'b'] },
      { size: 1, paths: ['one', 'two'] },
    ],
  );
});

test('two images are compared by what was read once', async () => {
  const one = await analyzeImage(
    await imageOf([directory('d/'), file('d/same', 'x'), file('d/gone', '1'), file('f', 'abc')]),
  );
  const two = await analyzeImage(
    await imageOf([file('d/same', 'x'), file('f', 'abd')], [file('new', '1'), file('f', 'abe')]),
  );
  const versions = versionsOf(compareAnalyses(one, two)).filter((line) => line.includes(': 1 '));
  assert.deepEqual(versions, ['/d/gone: 1 removed', '/f: 1 changed content', '/new: 1 added']);
  assert.ok(versionsOf(compareAnalyses(one, one)).every((line) => line.includes(': 0 added')));
});

test('an abort ends the analysis', async () => {
  const image = await imageOf([file('a', '1')], [file('b', '2')]);
  const controller = new AbortController();
  const reason = new Error('enough');
  const pending = analyzeImage(image, {
    signal: controller.signal,
    onEvent: () => controller.abort(reason),
  });
  await assert.rejects(pending, reason);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { writeImage } from '../build/image.ts';
import { buildLayer } from '../build/layer.ts';
import { exportImage } from '../contents/export-image.ts';
import { digestBytes } from '../digest/hasher.ts';
import type { ExecutionConfig, HistoryEntry } from '../manifest/types.ts';
import { parsePlatform } from '../platform/parse.ts';
import type { ImageSource } from '../source.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import type { ImageStore } from '../store/store.ts';
import { collectBytes } from '../tar/testing/streams.ts';
import { type TarWriteEntry, writeTar } from '../tar/write-tar.ts';
import { validateImage } from '../validate/validate-image.ts';
import { withAnnotations, withConfig } from './config-changes.ts';
import { draftOf } from './draft.ts';
import { editIndex } from './index-edit.ts';
import { withLayer } from './layers.ts';
import { rebaseConflicts, rebaseImage } from './rebase.ts';
import { flattenImage, squashLayers } from './squash.ts';
import { writeDraft } from './write-draft.ts';

const file = (name: string, content = ''): TarWriteEntry => ({
  header: { name },
  body: Buffer.from(content),
});
const platform = parsePlatform('linux/amd64');

interface Recipe {
  readonly layers: readonly (readonly TarWriteEntry[])[];
  readonly config?: ExecutionConfig;
  readonly history?: readonly HistoryEntry[];
}

async function imageIn(store: ImageStore, name: string, { layers, ...rest }: Recipe): Promise<ImageSource> {
  const built = [];
  for (const [index, entries] of layers.entries())
    built.push(await buildLayer(entries, { createdBy: `${name} ${index + 1}` }));
  await writeImage(store, { layers: built, name, platform, created: 1_600_000_000, ...rest });
  return store.image(name);
}

async function filesOf(image: ImageSource): Promise<string> {
  return digestBytes(await collectBytes(writeTar(exportImage(image))));
}

const created = '2020-09-13T12:26:40Z';

describe('configuration', () => {
  test('fields are set, changed and removed, the rest stays', async () => {
    const store = createMemoryStore();
    const config = { Env: ['PATH=/bin', 'A=1'], Cmd: ['a'], Labels: { x: '1', y: '2' }, ArgsEscaped: true };
    const image = await imageIn(store, 'a', { layers: [[file('a')]], config });
    const draft = withConfig(
      draftOf(image),
      {
        entrypoint: ['/bin/sh', '-c'],
        cmd: [],
        env: { remove: ['A'], set: { PATH: '/usr/bin', B: 'x=y' } },
        labels: { clear: true, set: { z: '3' } },
        exposedPorts: { set: { '80/tcp': '' } },
        volumes: { set: { '/data': '' } },
        user: 'app',
        workingDir: '/srv',
        stopSignal: 'SIGINT',
        author: 'me',
      },
      { createdBy: 'oci config' },
    );
    const descriptor = await writeDraft(store, draft, { name: 'b' });
    const edited = await store.image('b');
    assert.equal(edited.descriptor.digest, descriptor.digest);
    assert.deepEqual(edited.config.config, {
      Env: ['PATH=/usr/bin', 'B=x=y'],
      Labels: { z: '3' },
      ArgsEscaped: true,
      Entrypoint: ['/bin/sh', '-c'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: { '/data': {} },
      User: 'app',
      WorkingDir: '/srv',
      StopSignal: 'SIGINT',
    });
    assert.equal(edited.config.author, 'me');
    assert.deepEqual(edited.config.history, [
      { created, created_by: 'a 1' },
      { created, created_by: 'oci config', empty_layer: true },
    ]);
    assert.deepEqual(await validateImage(edited), []);
  });

  test('the same edit gives the same digest, whatever the clock says; a time can be given', async () => {
    const store = createMemoryStore();
    const image = await imageIn(store, 'a', { layers: [[file('a')]] });
    const edit = async (record: object) =>
      (await writeDraft(store, withConfig(draftOf(image), { user: 'x' }, record))).digest;
    assert.equal(await edit({}), await edit({}));
    const dated = withConfig(draftOf(image), {}, { created: 1_700_000_000, author: 'me', comment: 'why' });
    assert.equal(dated.config.created, '2023-11-14T22:13:20Z');
    assert.deepEqual(dated.config.history?.at(-1), {
      created: '2023-11-14T22:13:20Z',
      author: 'me',
      comment: 'why',
      empty_layer: true,
    });
    assert.equal(withConfig(draftOf(image), {}, { history: false }).config.history?.length, 1);
  });

  test('annotations', async () => {
    const image = await imageIn(createMemoryStore(), 'a', { layers: [] });
    const once = withAnnotations(draftOf(image), { set: { a: '1', b: '2' } });
    assert.deepEqual(withAnnotations(once, { remove: ['a'] }).manifest.annotations, { b: '2' });
    assert.equal(withAnnotations(once, { clear: true }).manifest.annotations, undefined);
  });
});

describe('layers', () => {
  const layers = [
    [file('a', '1'), file('b', '1'), file('base', 'x')],
    [file('a', '2'), file('.wh.b'), file('c', '2')],
    [file('c', '3'), file('.wh.base')],
  ];
  const empty = { created_by: 'ENV', empty_layer: true };
  const history = [{ created_by: 'one' }, empty, { created_by: 'two' }, empty, { created_by: 'three' }];

  test('an added layer has its history', async () => {
    const store = createMemoryStore();
    const image = await imageIn(store, 'a', { layers, history });
    const layer = await buildLayer([file('new')]);
    await store.put(layer.bytes, { mediaType: layer.descriptor.mediaType });
    await writeDraft(store, withLayer(draftOf(image), layer, { createdBy: 'oci append' }), { name: 'b' });
    const edited = await store.image('b');
    assert.equal(edited.manifest.layers.length, 4);
    assert.equal(edited.config.history?.at(-1)?.created_by, 'oci append');
    assert.deepEqual(await validateImage(edited), []);
  });

  for (const [title, range, count, places] of [
    ['all layers', undefined, 1, ['ENV', 'ENV', 'squash']],
    ['the upper ones', { from: 1, to: 3 }, 2, ['one', 'ENV', 'ENV', 'squash']],
    ['the lower ones', { from: 0, to: 2 }, 2, ['ENV', 'squash', 'ENV', 'three']],
    ['one in the middle', { from: 1, to: 2 }, 3, ['one', 'ENV', 'squash', 'ENV', 'three']],
  ] as const) {
    test(`squashing ${title} keeps the files`, async () => {
      const store = createMemoryStore();
      const image = await imageIn(store, 'a', { layers, history });
      const draft = await squashLayers(store, image, { range, record: { createdBy: 'squash' } });
      await writeDraft(store, draft, { name: 'b' });
      const edited = await store.image('b');
      assert.equal(edited.manifest.layers.length, count);
      assert.equal(await filesOf(edited), await filesOf(await store.image('a')));
      assert.deepEqual(
        edited.config.history?.map(({ created_by }) => created_by),
        places,
      );
      assert.deepEqual(await validateImage(edited), []);
    });
  }

  test('a flat image has one layer and one line of history', async () => {
    const store = createMemoryStore();
    const image = await imageIn(store, 'a', { layers, history, config: { Cmd: ['x'] } });
    await writeDraft(store, await flattenImage(store, image, { record: { createdBy: 'flat' } }), {
      name: 'b',
    });
    const edited = await store.image('b');
    assert.equal(edited.manifest.layers.length, 1);
    assert.deepEqual(edited.config.history, [{ created, created_by: 'flat' }]);
    assert.deepEqual(edited.config.config, { Cmd: ['x'] });
    assert.equal(await filesOf(edited), await filesOf(image));
  });

  test('a range that there is not is refused', async () => {
    const store = createMemoryStore();
    const image = await imageIn(store, 'a', { layers });
    for (const range of [
      { from: 0, to: 4 },
      { from: 2, to: 2 },
      { from: -1, to: 1 },
    ])
      await assert.rejects(squashLayers(store, image, { range, record: {} }), {
        code: 'ERR_OCI_EDIT_INVALID',
      });
  });

  test('layers come from where the image is, as they are', async () => {
    const image = await imageIn(createMemoryStore(), 'a', { layers });
    const store = createMemoryStore();
    await assert.rejects(writeDraft(store, draftOf(image)), { code: 'ERR_OCI_BLOB_NOT_FOUND' });
    await writeDraft(store, draftOf(image), { sources: [image], name: 'b' });
    const copy = await store.image('b');
    assert.deepEqual(copy.manifest.layers, image.manifest.layers);
    assert.deepEqual(await validateImage(copy), []);
  });
});

describe('rebase', () => {
  const base1 = [file('etc/passwd', 'old'), file('lib', '1'), file('only-old', 'x'), file('dir/x', '1')];
  const base2 = [file('etc/passwd', 'new'), file('lib', '2'), file('same', 's')];
  const own = [file('etc/passwd', 'mine'), file('app', 'x'), file('dir/mine', '1')];

  async function bases(store: ImageStore): Promise<Record<'image' | 'oldBase' | 'newBase', ImageSource>> {
    const oldBase = await imageIn(store, 'base:1', {
      layers: [base1],
      config: { Env: ['PATH=/1', 'V=1'], Cmd: ['sh'], Labels: { version: '1' } },
    });
    const newBase = await imageIn(store, 'base:2', {
      layers: [base2],
      config: { Env: ['PATH=/2', 'V=2', 'N=2'], Cmd: ['bash'], Labels: { version: '2' } },
    });
    const image = await imageIn(store, 'app', {
      layers: [base1, own],
      config: { Env: ['PATH=/1', 'V=mine', 'APP=1'], Cmd: ['sh'], Labels: { version: '1', app: 'x' } },
      history: [
        { created, created_by: 'base:1 1' },
        { created_by: 'COPY app' },
        { created_by: 'ENV', empty_layer: true },
      ],
    });
    return { image, oldBase, newBase };
  }

  test('the image keeps its own layers, settings and history', async () => {
    const store = createMemoryStore();
    const { image, ...rest } = await bases(store);
    await writeDraft(store, rebaseImage(image, { ...rest, record: {} }), { name: 'new' });
    const edited = await store.image('new');
    assert.deepEqual(
      edited.manifest.layers.map(({ digest }) => digest),
      [rest.newBase.manifest.layers[0]?.digest, image.manifest.layers[1]?.digest],
    );
    assert.deepEqual(edited.config.config, {
      Env: ['PATH=/2', 'V=mine', 'N=2', 'APP=1'],
      Cmd: ['bash'],
      Labels: { version: '2', app: 'x' },
    });
    assert.deepEqual(
      edited.config.history?.map(({ created_by }) => created_by),
      ['base:2 1', 'COPY app', 'ENV'],
    );
    assert.equal(
      edited.manifest.annotations?.['org.opencontainers.image.base.digest'],
      rest.newBase.descriptor.digest,
    );
    assert.deepEqual(await validateImage(edited), []);
  });

  test('files that both sides changed are told', async () => {
    const { image, ...rest } = await bases(createMemoryStore());
    assert.deepEqual(await rebaseConflicts(image, { ...rest, record: {} }), [
      { path: 'dir/mine', base: 'removed' },
      { path: 'etc/passwd', base: 'changed' },
    ]);
  });

  test('another base is refused', async () => {
    const { image, newBase } = await bases(createMemoryStore());
    assert.throws(() => rebaseImage(image, { oldBase: newBase, newBase, record: {} }), {
      code: 'ERR_OCI_EDIT_INVALID',
    });
  });
});

test('images are put into an index, replaced and taken out', async () => {
  const store = createMemoryStore();
  const write = async (architecture: string, content: string) =>
    writeImage(store, {
      layers: [await buildLayer([file('a', content)])],
      platform: parsePlatform(`linux/${architecture}`),
    });
  const [amd64, arm64, newer] = [
    await write('amd64', '1'),
    await write('arm64', '1'),
    await write('amd64', '2'),
  ];
  const first = await editIndex(store, undefined, {
    add: [amd64, arm64],
    name: 'i',
    annotations: { set: { a: '1' } },
  });
  const second = await editIndex(store, first, { add: [newer], name: 'i' });
  assert.equal(
    (await store.image('i', { platform: parsePlatform('linux/amd64') })).descriptor.digest,
    newer.digest,
  );
  const third = await editIndex(store, second, { remove: [parsePlatform('linux/amd64')], name: 'i' });
  await assert.rejects(store.image('i', { platform: parsePlatform('linux/amd64') }), {
    code: 'ERR_OCI_PLATFORM_NOT_FOUND',
  });
  await assert.rejects(editIndex(store, third, { remove: [amd64.digest], name: 'i' }), {
    code: 'ERR_OCI_EDIT_INVALID',
  });
  await assert.rejects(editIndex(store, amd64, { name: 'i' }), { code: 'ERR_OCI_EDIT_INVALID' });
});

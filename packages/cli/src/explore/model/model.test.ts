import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { analyzeImage, buildLayer, createMemoryStore, type TarWriteEntry, writeImage } from '@ocijs/image';
import { buildReport } from '../report/build-report.ts';
import { instructionOf } from '../report/history-lines.ts';
import { shownText } from './names.ts';
import type { Report } from './report.ts';
import { listRows } from './rows.ts';
import { searchTree } from './search.ts';
import { type FileTree, openTree, pathOfNode } from './tree.ts';
import { changeBits, growthOf, type LayerView, Mark, originOf, viewLayer } from './view.ts';

const file = (name: string, content = '', fields: object = {}): TarWriteEntry => ({
  header: { name, ...fields },
  body: Buffer.from(content),
});
const entry = (name: string, type: 'directory' | 'link' | 'symlink', linkname?: string): TarWriteEntry => ({
  header: { name, type, ...(linkname === undefined ? {} : { linkname }) },
});

const first = [
  entry('etc/', 'directory'),
  file('etc/hosts', '12345'),
  file('etc/motd', '123'),
  entry('usr/', 'directory'),
  file('usr/big', '1234567890'),
  entry('usr/also-big', 'link', 'usr/big'),
  entry('usr/link', 'symlink', '../etc/hosts'),
];
const second = [file('etc/hosts', '1234'), file('etc/.wh.motd'), file('usr/new', '12')];
const third = [file('.wh.usr')];

async function reportOf(...images: (readonly (readonly TarWriteEntry[])[])[]): Promise<Report> {
  const store = createMemoryStore();
  const analyses = [];
  for (const [index, layers] of images.entries()) {
    const built = [];
    for (const entries of layers) built.push(await buildLayer(entries));
    await writeImage(store, {
      layers: built,
      name: `test:${index}`,
      config: { Env: [`N=${index}`], Labels: { a: 'b' } },
    });
    analyses.push(await analyzeImage(await store.image(`test:${index}`)));
  }
  return buildReport(analyses, 'test');
}

const marks = Object.fromEntries(Object.entries(Mark).map(([name, mark]) => [mark, name]));

/** `path mark total` for each node that is listed. */
function listing(
  view: LayerView,
  options: Partial<Parameters<typeof listRows>[1]> = {},
): (string | undefined)[] {
  const rows = listRows(view, { isOpen: () => true, sort: 'name', ...options });
  return [...rows].map(
    (node) => `${pathOfNode(view.tree, node)} ${marks[view.marks[node] ?? 0]} ${view.totals[node]}`,
  );
}

describe('what is shown of the files', () => {
  let tree: FileTree;
  let report: Report;
  before(async () => {
    report = await reportOf([first, second, third]);
    const [image] = report.images;
    assert.ok(image);
    // As it comes out of the page.
    tree = openTree(JSON.parse(JSON.stringify(image.tree)));
  });

  test('the tree at each layer, with marks and bytes; hard links count once', () => {
    assert.deepEqual(listing(viewLayer(tree, 0)), [
      '/etc added 8',
      '/etc/hosts added 5',
      '/etc/motd added 3',
      '/usr added 10',
      '/usr/also-big added 10',
      '/usr/big added 0',
      '/usr/link added 0',
    ]);
    assert.deepEqual(listing(viewLayer(tree, 1)), [
      '/etc same 4',
      '/etc/hosts changed 4',
      '/etc/motd removed 3',
      '/usr same 12',
      '/usr/also-big same 10',
      '/usr/big same 0',
      '/usr/link same 0',
      '/usr/new added 2',
    ]);
    const last = viewLayer(tree, 2);
    assert.deepEqual(listing(last).slice(0, 3), ['/etc same 4', '/etc/hosts same 4', '/usr removed 22']);
    assert.equal(last.totals[0], 4);
    assert.deepEqual([...viewLayer(tree, 1).files].slice(0, 2), [4, 1]);
  });

  test('only what a layer changed, or of that what it added', () => {
    const view = viewLayer(tree, 1);
    assert.deepEqual(listing(view, { only: changeBits }), [
      '/etc same 4',
      '/etc/hosts changed 4',
      '/etc/motd removed 3',
      '/usr same 12',
      '/usr/new added 2',
    ]);
    assert.deepEqual(listing(view, { only: 1 << Mark.added }), ['/usr same 12', '/usr/new added 2']);
  });

  test('closed directories hide what is in them, and the largest can come first', () => {
    const view = viewLayer(tree, 1);
    assert.deepEqual(listing(view, { isOpen: () => false, sort: 'size' }), ['/usr same 12', '/etc same 4']);
  });

  test('a search lists what it found and the directories above', () => {
    const view = viewLayer(tree, 1);
    const find = (query: string, only?: number) =>
      listing(view, { found: searchTree(view, query)?.found, only }).map((line) => line?.split(' ')[0]);
    assert.deepEqual(find('HOST'), ['/etc', '/etc/hosts']);
    assert.deepEqual(find('usr/n'), ['/usr', '/usr/new']);
    assert.deepEqual(find('*big'), ['/usr', '/usr/also-big', '/usr/big']);
    assert.deepEqual(find('b*g'), ['/usr', '/usr/big']);
    assert.deepEqual(find('/e*d'), ['/etc', '/etc/motd']);
    assert.deepEqual(find('m*m*m'), []);
    assert.deepEqual(find('o', 1 << Mark.removed), ['/etc', '/etc/motd']);
    assert.equal(searchTree(view, ' '), undefined);
    assert.equal(searchTree(viewLayer(tree, 2), 'motd')?.count, 0);
  });

  test('layers, wasted files and history refer to the tree', () => {
    const [image] = report.images;
    assert.ok(image);
    assert.deepEqual(
      image.wasted.map(({ node, bytes, fate }) => [pathOfNode(tree, node), bytes, fate]),
      [
        ['/usr/also-big', 10, 'removed'],
        ['/etc/hosts', 5, 'replaced'],
        ['/etc/motd', 3, 'removed'],
        ['/usr/new', 2, 'removed'],
      ],
    );
    assert.equal(originOf(viewLayer(tree, 1), 1), 0);
    assert.deepEqual(image.config.map(({ title }) => title).slice(0, 2), ['Environment', 'Labels']);
    assert.deepEqual([...tree.links.values()], ['../etc/hosts']);
  });
});

test('two images are one tree of two layers', async () => {
  const { comparison } = await reportOf([first], [first, second]);
  assert.ok(comparison);
  assert.deepEqual(comparison.fields, [{ field: 'config.Env', a: 'N=0', b: 'N=1' }]);
  const tree = openTree(comparison.tree);
  const growth = growthOf(viewLayer(tree, 0), viewLayer(tree, 1));
  assert.deepEqual([...growth], [-2, -4, -1, -3, 2, 0, 0, 0, 2]);
  assert.deepEqual(listing(viewLayer(tree, 1), { only: changeBits }), [
    '/etc same 4',
    '/etc/hosts changed 4',
    '/etc/motd removed 3',
    '/usr same 12',
    '/usr/new added 2',
  ]);
});

test('instructions are shown as they stood in the Dockerfile', () => {
  assert.equal(instructionOf('/bin/sh -c #(nop)  CMD ["sh"]'), 'CMD ["sh"]');
  assert.equal(instructionOf('/bin/sh -c apt-get update'), 'RUN apt-get update');
  assert.equal(instructionOf('RUN /bin/sh -c make # buildkit'), 'RUN make');
  assert.equal(instructionOf('|1 A=b /bin/sh -c make'), 'RUN make');
  assert.equal(instructionOf('COPY . . # buildkit'), 'COPY . .');
});

test('names cannot hide what they are', () => {
  assert.equal(shownText('a\u202egnp.exe\x1b[2J\n'), 'a\\u202egnp.exe\\u001b[2J\\n');
  assert.equal(shownText('caf\u00e9 \udcff \u200b'), 'caf\u00e9 \\xff \\u200b');
  assert.equal(shownText('\u{e0041}'), '\\u{e0041}');
});

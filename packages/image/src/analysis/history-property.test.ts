import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTreeBuilder } from '../contents/image-tree.ts';
import { type Inode, implicitDirectory, pathOf, type TreeNode } from '../contents/tree.ts';
import { walkTree } from '../contents/walk.ts';
import { ImageError } from '../errors.ts';
import type { TarEntry } from '../tar/entry.ts';
import { createFileHistory, type HistoryNode, historyPath, walkHistory } from './file-history.ts';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const header = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('file' as const), path) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('directory' as const), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('symlink' as const), path, path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('link' as const), path, path) },
  {
    weight: 2,
    arbitrary: path.map((at) => ['file' as const, at.replace(/[^/]+$/, (base) => `.wh.${base}`)] as const),
  },
  { weight: 1, arbitrary: path.map((at) => ['file' as const, `${at}/.wh..wh..opq`] as const) },
);
const entries = fc.array(
  fc.tuple(header, fc.constantFrom(0o644, 0o755)).map(
    ([[type, at, target], mode]): TarEntry => ({
      ...implicitDirectory,
      type,
      name: at,
      linkname: target ?? '',
      mode,
    }),
  ),
  { maxLength: 8 },
);

test('what the history tells of each layer is what comparing the whole trees tells', () => {
  let applied = 0;
  const check = (layers: readonly (readonly TarEntry[])[]): void => {
    const builder = createTreeBuilder();
    const history = createFileHistory({ contentOf: () => 'same', growing: true });
    let before = new Map<string, Inode>();
    for (const [layer, headers] of layers.entries()) {
      for (const each of headers) {
        try {
          builder.add(each, layer);
          applied += 1;
        } catch (error) {
          // A layer may hold what cannot be unpacked; what came before it counts.
          if (!(error instanceof ImageError)) throw error;
        }
      }
      history.record(builder.root, layer);
      const now = inodesOf(builder.root);
      assert.deepEqual(versionsOf(history.root, layer), difference(before, now), `layer ${layer}`);
      before = now;
    }
  };
  fc.assert(fc.property(fc.array(entries, { minLength: 1, maxLength: 6 }), check), { numRuns: 1000 });
  assert.ok(applied > 5000, `${applied} entries could be applied`);
});

test('a directory may have any number of files, and a link any number of slashes', () => {
  const builder = createTreeBuilder();
  const history = createFileHistory({ contentOf: () => 'same', growing: true });
  const file = (at: string): TarEntry => ({
    ...implicitDirectory,
    type: 'file',
    name: at,
    linkname: '',
    mode: 0o644,
  });
  const many = 200_000;
  for (let index = 0; index < many; index++) builder.add(file(`d/${index}`), 0);
  builder.add({ ...file('link'), type: 'symlink', linkname: '/'.repeat(many) }, 0);
  builder.add(file('link/through'), 0);
  assert.equal(history.record(builder.root, 0).added, many + 3);
  assert.equal([...walkTree(builder.root)].length, many + 4);
  builder.add(file('.wh.d'), 1);
  assert.equal(history.record(builder.root, 1).removed, many + 1);
  assert.equal([...walkHistory(history.root)].length, many + 4);
});

function inodesOf(root: TreeNode): Map<string, Inode> {
  return new Map([...walkTree(root)].slice(1).map((node) => [pathOf(node), node.inode]));
}

function difference(before: ReadonlyMap<string, Inode>, now: ReadonlyMap<string, Inode>): string[] {
  const lines: string[] = [];
  for (const at of before.keys()) if (!now.has(at)) lines.push(`removed ${at}`);
  for (const [at, inode] of now) {
    const old = before.get(at);
    if (old === undefined) lines.push(`added ${at}`);
    else if (old !== inode && !isSameDirectory(old, inode)) lines.push(`changed ${at}`);
  }
  return lines.sort();
}

function isSameDirectory({ header: a }: Inode, { header: b, layer }: Inode): boolean {
  return a.type === 'directory' && b.type === 'directory' && (layer < 0 || a.mode === b.mode);
}

function versionsOf(root: HistoryNode, layer: number): string[] {
  const lines: string[] = [];
  for (const node of walkHistory(root)) {
    const at = historyPath(node);
    for (const version of node.versions)
      if (version.layer === layer && at !== '') lines.push(`${version.kind} ${at}`);
  }
  return lines.sort();
}

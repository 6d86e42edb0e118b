import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { createDirectoryTree } from './directory-tree.ts';
import { createLayerApplier } from './layer.ts';
import { resolveDirectory } from './resolve.ts';
import {
  applyLayers,
  characterDevice,
  directory,
  file,
  header,
  link,
  symlink,
  type TestEntry,
} from './testing/entries.ts';
import { type RecordingOperations, recordingOperations } from './testing/memory-operations.ts';

function record(layers: readonly (readonly TestEntry[])[], rootless = false): RecordingOperations {
  const operations = recordingOperations();
  applyLayers('/', layers, { operations, rootless, placeholderDevices: rootless });
  assert.equal(operations.openCount, 0, 'everything is closed');
  return operations;
}

test('a file: nobody may read it before it is complete, set-id bits come after the owner, times last', () => {
  const { effects } = record([
    [file('f', 'abc', { mode: 0o4755, uid: 3, gid: 4, mtimeNs: 9n, xattrs: { 'user.x': '1' } })],
  ]);
  assert.deepEqual(effects, [
    'createFile f',
    'write f 0+3',
    'setOwner f 3:4',
    'setMode f 4755',
    'setAttribute f user.x',
    'setTimes f 9',
    'setTimes . 0',
  ]);
});

test('directories get their times at the end, children first', () => {
  const { effects } = record([
    [directory('a', { mtimeNs: 1n }), directory('a/b', { mtimeNs: 2n }), file('a/b/c')],
  ]);
  assert.deepEqual(effects.slice(-3), ['setTimes a/b 2', 'setTimes a 1', 'setTimes . 0']);
});

test('a hard link has no metadata of its own', () => {
  const { effects } = record([[file('f'), link('h', 'f')]]);
  const from = effects.indexOf('makeLink f h');
  assert.deepEqual(effects.slice(from), ['makeLink f h', 'setTimes . 0']);
});

test('what is in the way goes first, also a whole tree', () => {
  const operations = record([[file('d/e/f'), symlink('d/l', '/')], [file('d')]]);
  const from = operations.effects.indexOf('remove d/e/f');
  assert.deepEqual(operations.effects.slice(from, from + 5), [
    'remove d/e/f',
    'removeDirectory d/e',
    'remove d/l',
    'removeDirectory d',
    'createFile d',
  ]);
});

test('rootless has no owners and no devices, and closes directories at the end', () => {
  const { effects, root } = record(
    [[directory('d', { mode: 0o500 }), file('d/f', '', { uid: 9 }), characterDevice('n')]],
    true,
  );
  assert.equal(
    effects.some((effect) => /setOwner|makeNode/.test(effect)),
    false,
  );
  assert.equal(root.entries.get('n')?.kind, 'file');
  assert.equal(root.entries.get('d')?.mode, 0o500);
  assert.ok(effects.indexOf('setMode d 700') < effects.indexOf('createFile d/f'));
});

test('paths lead where a process inside the root would get', () => {
  const operations = recordingOperations();
  const entries = [
    directory('usr/lib'),
    symlink('lib', 'usr/lib'),
    symlink('abs', '/usr/lib'),
    symlink('up', '../../../usr'),
    symlink('usr/back', '..'),
    symlink('dead', '/no/where'),
    symlink('half', 'no/../usr'),
    symlink('usr/lib/abs', '/usr'),
    symlink('loop', 'loop/x'),
    file('f'),
  ];
  applyLayers('/', [entries], { operations, rootless: false });
  const resolve = (path: string): string => {
    const tree = createDirectoryTree(operations, '/', { unlock: false });
    try {
      const { node, missing } = resolveDirectory(operations, tree, path.split('/'));
      const names: string[] = [];
      for (let at = node; at.parent !== undefined; at = at.parent) names.unshift(at.name);
      return `${names.join('/')}|${missing.join('/')}`;
    } finally {
      tree.close();
    }
  };
  assert.equal(resolve('lib'), 'usr/lib|');
  assert.equal(resolve('abs/x/y'), 'usr/lib|x/y');
  assert.equal(resolve('up/lib'), 'usr/lib|');
  assert.equal(resolve('usr/back/usr/back/lib'), 'usr/lib|');
  assert.equal(resolve('dead/x'), '|no/where/x');
  assert.equal(resolve('half/lib'), 'usr/lib|');
  assert.equal(resolve('lib/abs/lib'), 'usr/lib|');
  assert.equal(resolve('f/x'), '|f/x');
  assert.throws(
    () => resolve('loop'),
    (error) => isOciError(error, 'ERR_OCI_LAYER_INVALID'),
  );
});

test('a failed effect becomes an error with entry, errno and hint', () => {
  const operations = recordingOperations();
  const full = {
    ...operations,
    write: () => {
      throw Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC', syscall: 'write' });
    },
  };
  using layer = createLayerApplier('/', {
    operations: full,
    rootless: false,
    placeholderDevices: false,
    uidMap: [],
    gidMap: [],
    keepDirlinks: false,
  });
  layer.entry(header(file('f', 'x')));
  assert.throws(
    () => layer.data(Buffer.from('x')),
    (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_UNPACK_FAILED'));
      assert.deepEqual([error.facts.entry, error.facts.errno, error.facts.syscall], ['f', 'ENOSPC', 'write']);
      assert.match(error.hint ?? '', /space/);
      return true;
    },
  );
});

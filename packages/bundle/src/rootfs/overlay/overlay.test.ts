import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { available, isSystemCallError, mount, umount2 } from '@ocijs/linux';
import {
  applyLayers,
  characterDevice,
  directory,
  fifo,
  file,
  link,
  symlink,
  type TestEntry,
} from '../testing/entries.ts';
import { paths, playground, type Snapshot, snapshot } from '../testing/snapshot.ts';
import { stackCases } from '../testing/tables.ts';
import { copyTree } from './copy-tree.ts';
import { overlayOperations } from './overlay-operations.ts';

const skip = available() ? false : 'needs Linux';
const isRoot = process.getuid?.() === 0;
const forms = isRoot ? (['trusted', 'user'] as const) : (['user'] as const);

type Layers = readonly (readonly TestEntry[])[];

/** Applies each layer to a directory of its own; the uppermost comes first. */
function applyApart(base: string, layers: Layers, { form }: { readonly form: 'trusted' | 'user' }): string[] {
  const lower: string[] = [];
  for (const [index, entries] of layers.entries()) {
    const rootfs = join(base, `layer${index}`);
    makeRoot(rootfs);
    using operations = overlayOperations({ lower, form });
    applyLayers(rootfs, [entries], { operations });
    lower.unshift(rootfs);
  }
  return lower;
}

function makeRoot(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
  if (isRoot) chownSync(path, 0, 0);
  utimesSync(path, 0, 0);
}

/** Links whose other names were removed are none: overlayfs still counts them. */
function comparable(tree: ReadonlyMap<string, Snapshot>): object {
  const groups = Map.groupBy(tree.values(), ({ linkGroup }) => linkGroup);
  return Object.fromEntries(
    [...tree].map(([path, { linkGroup, ...entry }]) => [
      path,
      (groups.get(linkGroup)?.length ?? 0) > 1 && linkGroup !== undefined ? { ...entry, linkGroup } : entry,
    ]),
  );
}

/** What the layers are, applied one onto the other; undefined when they are refused. */
function expected(base: string, layers: Layers): object | undefined {
  const rootfs = join(base, 'plain');
  makeRoot(rootfs);
  try {
    applyLayers(rootfs, layers);
  } catch (error) {
    assert.ok(isOciError(error), String(error));
    return undefined;
  }
  return comparable(snapshot(rootfs));
}

async function checkLayers(t: TestContext, layers: Layers): Promise<void> {
  for (const form of forms) {
    using place = playground();
    const want = expected(place.directory, layers);
    if (want === undefined) {
      assert.throws(() => applyApart(place.directory, layers, { form }), isOciError);
      return;
    }
    const lower = applyApart(place.directory, layers, { form });
    const copy = join(place.directory, 'copy');
    mkdirSync(copy);
    await copyTree(copy, { layers: lower, form });
    assert.deepEqual(comparable(snapshot(copy)), want, `${form}: copied`);
    const mounted = isRoot ? seenMounted(t, { base: place.directory, lower, form }) : undefined;
    if (mounted !== undefined) assert.deepEqual(mounted, want, `${form}: mounted`);
  }
}

function seenMounted(
  t: TestContext,
  { base, lower, form }: { readonly base: string; readonly lower: readonly string[]; readonly form: string },
): object | undefined {
  const target = join(base, 'mounted');
  const empty = join(base, 'empty');
  mkdirSync(target);
  mkdirSync(empty);
  // A single layer is no overlay: something empty below makes it one.
  const data = `lowerdir=${[...lower, empty].join(':')}${form === 'user' ? ',userxattr' : ''}`;
  try {
    mount(target, { source: 'overlay', type: 'overlay', data });
  } catch (error) {
    if (!isSystemCallError(error, 'EPERM', 'ENODEV')) throw error;
    t.diagnostic('overlayfs cannot be mounted here');
    return undefined;
  }
  try {
    return comparable(snapshot(target));
  } finally {
    umount2(target);
  }
}

for (const { name, layers } of stackCases()) {
  test(`stack ${name}, in overlay form`, { skip }, (t) => checkLayers(t, layers));
}

/** What only root can read; an ordinary user's own has a test of its own. */
const closed = isRoot ? 0o000 : 0o700;
const old = { mtimeNs: 1_000_000_000_123_456_789n };
const base: readonly TestEntry[] = [
  directory('./', { mode: 0o751, ...old }),
  directory('etc', { mode: 0o2755, ...old, xattrs: { 'user.note': 'etc' } }),
  file('etc/passwd', 'root', { mode: 0o600, ...old, xattrs: { 'user.note': 'passwd' } }),
  file('etc/shadow', 'x', { mode: closed }),
  directory('usr', { mode: 0o700, ...old }),
  directory('usr/bin', old),
  file('usr/bin/a', 'a', { mode: 0o4755, ...old }),
  link('usr/bin/b', 'usr/bin/a'),
  link('usr/c', 'usr/bin/a'),
  symlink('usr/bin/s', 'a', old),
  link('usr/bin/s2', 'usr/bin/s'),
  symlink('bin', 'usr/bin', old),
  fifo('usr/fifo', old),
  directory('locked', { mode: closed, ...old }),
  file('locked/in', 'in', old),
  directory('deep/er/est', old),
  file('deep/er/est/file', 'deep', old),
];

const weird: Readonly<Record<string, Layers>> = {
  'whiteouts of a file, a directory, one of several names, and nothing': [
    base,
    [file('usr/bin/.wh.a'), file('.wh.deep'), file('etc/.wh.none'), file('none/.wh.none')],
  ],
  'opaque before and after what the layer adds': [
    base,
    [file('usr/bin/new', 'n'), file('usr/.wh..wh..opq'), file('usr/late', 'l')],
    [file('etc/.wh..wh..opq'), file('etc/new', 'n'), file('deep/er/.wh..wh..opq')],
  ],
  'opaque over a directory that was implied and over one that was copied up': [
    base,
    [file('deep/er/est/new', 'n'), file('deep/er/.wh.none'), file('deep/.wh..wh..opq')],
  ],
  'the root is opaque': [base, [file('new', 'n'), file('.wh..wh..opq'), directory('etc')]],
  'removed and made again': [
    base,
    [file('.wh.deep'), file('.wh.etc')],
    [directory('deep', old), file('etc', 'a file')],
    [file('deep/er', 'a file'), file('.wh.etc')],
    [directory('deep/er', old), directory('etc', { mode: 0o711, ...old })],
  ],
  'replaced by other types': [
    base,
    [file('deep', 'file'), directory('usr/fifo', old), symlink('etc', 'usr', old), file('bin', 'b')],
    [directory('deep', old), file('deep/est', 'x'), fifo('etc', old), directory('usr/bin/a', old)],
  ],
  'hard links to files of lower layers keep all names together': [
    base,
    [link('x', 'usr/bin/b'), link('deep/y', 'etc/passwd')],
    [link('z', 'deep/y'), file('usr/.wh.c'), link('w', 'usr/bin/s2'), link('f', 'usr/fifo')],
    [link('usr/bin/again', 'x'), file('x', 'another')],
  ],
  'a hard link through a link of a lower layer, and to what a lower layer hides': [
    base,
    [file('usr/bin/.wh.b'), link('bin/new', 'bin/a')],
    [link('bin/newer', 'bin/new')],
  ],
  'metadata of a directory of a lower layer changes, and its contents stay': [
    base,
    [directory('usr', { mode: 0o1777 }), directory('etc', { xattrs: { 'user.other': 'o' } })],
    [directory('./', { mode: 0o700, uid: 3, gid: 4 })],
  ],
  'directories that keep their owner out': [
    base,
    [file('locked/new', 'n'), directory('usr', { mode: closed })],
    [file('usr/bin/later', 'l'), file('locked/.wh.in')],
    [link('out', 'locked/new'), file('.wh.locked')],
  ],
  'writing through a link of a lower layer': [base, [file('bin/new', 'n'), file('bin/.wh.a')]],
  'names that are not UTF-8': [
    [file('?', 'x', { nameBytes: Buffer.from([0x64, 0xff]) })],
    [file('?', '', { nameBytes: Buffer.from([0x2e, 0x77, 0x68, 0x2e, 0x64, 0xff]) }), file('o', 'o')],
  ],
  'a layer without entries': [base, [], [file('.wh.bin')]],
};

for (const [name, layers] of Object.entries(weird)) {
  test(`overlay form: ${name}`, { skip }, (t) => checkLayers(t, layers));
}

test('attributes of overlayfs and whiteout devices of a layer mean nothing', { skip }, () => {
  for (const form of forms) {
    using place = playground();
    const warnings: string[] = [];
    const rootfs = join(place.directory, 'layer');
    makeRoot(rootfs);
    using operations = overlayOperations({ lower: [], form });
    applyLayers(
      rootfs,
      [
        [
          directory('d', { xattrs: { 'user.overlay.opaque': 'y', 'trusted.overlay.redirect': '/etc' } }),
          file('m', 'm', { xattrs: { 'trusted.overlay.metacopy': '', 'user.overlay.ocijs.mode': '4777' } }),
          characterDevice('w'),
        ],
      ],
      { operations, onWarning: ({ code }) => warnings.push(code) },
    );
    assert.ok(warnings.includes('attribute-reserved'));
    const tree = snapshot(rootfs);
    assert.deepEqual([tree.get('d')?.xattrs, tree.get('m')?.xattrs], [undefined, undefined]);
    assert.equal(tree.get('w')?.type, 'file');
  }
});

test('what keeps its owner out is written over, read and copied all the same', { skip }, async () => {
  using place = playground();
  const layers = [
    [
      directory('locked', { mode: 0o000, ...old }),
      file('locked/in', 'in', { mode: 0o000, ...old }),
      directory('locked/below', { mode: 0o400, ...old }),
      file('locked/below/file', 'f', old),
    ],
    [file('locked/new', 'n'), link('out', 'locked/in'), file('locked/below/.wh.file')],
  ];
  const lower = applyApart(place.directory, layers, { form: 'user' });
  const copy = join(place.directory, 'copy');
  mkdirSync(copy);
  await copyTree(copy, { layers: lower, form: 'user' });
  const modeOf = (name: string) => lstatSync(join(copy, name)).mode & 0o7777;
  const open = (name: string) => chmodSync(join(copy, name), 0o700);
  try {
    assert.equal(modeOf('locked'), 0);
    assert.equal(lstatSync(join(copy, 'locked'), { bigint: true }).mtimeNs, old.mtimeNs);
    assert.equal(modeOf('out'), 0);
    open('locked');
    assert.deepEqual([modeOf('locked/in'), modeOf('locked/below')], [0, 0o400]);
  } finally {
    for (const name of ['locked', 'locked/below', 'out']) open(name);
  }
  assert.deepEqual(paths(copy), ['locked', 'locked/below', 'locked/in', 'locked/new', 'out']);
  assert.equal(readFileSync(join(copy, 'locked/in'), 'utf8'), 'in');
  assert.equal(snapshot(copy).get('out')?.linkGroup, 'locked/in');
});

test('lower layers stay as they are', { skip }, () => {
  using place = playground();
  const [lower = ''] = applyApart(place.directory, [base], { form: 'user' });
  const before = snapshot(lower);
  const upper = join(place.directory, 'upper');
  makeRoot(upper);
  {
    using operations = overlayOperations({ lower: [lower], form: 'user' });
    applyLayers(
      upper,
      [(weird['hard links to files of lower layers keep all names together'] ?? [])[1] ?? []],
      {
        operations,
      },
    );
  }
  assert.deepEqual(snapshot(lower), before);
  assert.ok(paths(upper).includes('usr/c'), 'copied up with its other names');
});

test('holes stay holes in a copy', { skip }, async () => {
  using place = playground();
  const segments = [
    { offset: 0, length: 1 },
    { offset: 3 * 1024 ** 3, length: 1 },
  ];
  const sparse = { size: 4 * 1024 ** 3, sparse: segments };
  const lower = applyApart(place.directory, [[file('big', 'xy', sparse)]], { form: 'user' });
  const copy = join(place.directory, 'copy');
  mkdirSync(copy);
  await copyTree(copy, { layers: lower, form: 'user' });
  const { size, blocks } = lstatSync(join(copy, 'big'));
  assert.equal(size, sparse.size);
  assert.ok(blocks * 512 < 1024 ** 2, `${blocks} blocks`);
  const fd = openSync(join(copy, 'big'), 'r');
  try {
    const read = (position: number): string => {
      const byte = Buffer.alloc(1);
      assert.equal(readSync(fd, byte, 0, 1, position), 1);
      return byte.toString();
    };
    assert.deepEqual([read(0), read(1), read(3 * 1024 ** 3)], ['x', '\0', 'y']);
  } finally {
    closeSync(fd);
  }
});

test('copying stops when it is told to', { skip }, async () => {
  using place = playground();
  const lower = applyApart(place.directory, [[file('x')]], { form: 'user' });
  const copy = join(place.directory, 'copy');
  mkdirSync(copy);
  const reason = new Error('enough');
  await assert.rejects(
    copyTree(copy, { layers: lower, form: 'user', signal: AbortSignal.abort(reason) }),
    reason,
  );
});

test('no descriptor stays open', { skip }, () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  for (const layers of Object.values(weird)) {
    using place = playground();
    applyApart(place.directory, layers, { form: 'user' });
  }
  assert.equal(count(), before);
});

import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { available } from '@ocijs/linux';
import { linuxOperations } from './linux-operations.ts';
import { applyLayers, type TestEntry } from './testing/entries.ts';
import { playground, snapshot } from './testing/snapshot.ts';
import { type TableEntry, table, testEntry, types } from './testing/tables.ts';

/** undefined when the layers were refused. */
function outcome(
  layers: readonly (readonly TableEntry[])[],
  openat2: boolean,
): Record<string, unknown>[] | undefined {
  using place = playground();
  mkdirSync(place.rootfs);
  try {
    applyLayers(
      place.rootfs,
      layers.map((entries) => entries.map(testEntry)),
      {
        operations: linuxOperations({ openat2 }),
      },
    );
  } catch (error) {
    assert.ok(isOciError(error), String(error));
    return undefined;
  }
  return [...snapshot(place.rootfs)].map(([path, entry]) => ({ path, ...entry }));
}

const skip = available() ? false : 'needs Linux';
const root = process.getuid?.() === 0;

interface Stack {
  readonly name: string;
  readonly layers: readonly (readonly TableEntry[])[];
  readonly agree: boolean;
  readonly refused?: boolean;
  readonly result?: readonly Record<string, unknown>[];
  readonly answers?: { readonly umoci: 'refused' | readonly Record<string, unknown>[] };
}

/** A file of an earlier layer gives way to a directory, as under overlayfs and since umoci 0.5; the older tools refused. */
const fileParentGivesWay: ReadonlySet<string> = new Set(['random/071']);

for (const openat2 of [true, false]) {
  for (const { name, layers, agree, refused, result, answers } of table<Stack>('stacks')) {
    if (fileParentGivesWay.has(name)) continue;
    test(`stack ${name}, ${openat2 ? 'openat2' : 'walk'}`, { skip }, () => {
      const expected = agree ? (refused ? undefined : result) : answers?.umoci;
      const actual = outcome(layers, openat2);
      if (expected === undefined || expected === 'refused') {
        assert.equal(actual, undefined, 'must be refused');
        return;
      }
      assert.ok(actual !== undefined, 'must be accepted');
      const wanted = new Map(expected.map((entry) => [entry['path'], entry]));
      if (!wanted.has('.')) actual.shift();
      assert.deepEqual(
        actual.map(({ path }) => path),
        [...wanted.keys()].sort(),
      );
      for (const entry of actual) {
        const want = wanted.get(entry['path']) ?? {};
        for (const [field, value] of Object.entries(want)) {
          if (field === 'dev' || (!root && ['uid', 'gid', 'type'].includes(field))) continue;
          const found = field === 'mode' ? `0o${Number(entry['mode']).toString(8)}` : entry[field];
          assert.deepEqual(found, value, `${entry['path']}: ${field}`);
        }
      }
    });
  }
}

test('a file of an earlier layer gives way to a directory', { skip }, () => {
  for (const { name, layers } of table<Stack>('stacks')) {
    if (fileParentGivesWay.has(name)) assert.notEqual(outcome(layers, true), undefined, name);
  }
});

interface BaseOperation {
  readonly op: string;
  readonly path: string;
  readonly mode: string;
  readonly content?: string;
  readonly target?: string;
}

interface ApplyCase {
  readonly name: string;
  readonly base: readonly BaseOperation[];
  readonly layer: readonly TableEntry[];
  readonly error?: string;
  readonly checks: readonly { check: string; path?: string; content?: string; a?: string; b?: string }[];
}

/** containerd lets a link replace the root by nothing; here it is an attack (umoci CVE-2021-29136). */
const refusedHere: ReadonlySet<string> = new Set(['SymlinkEmptyFilename']);

for (const { name, base, layer, error, checks } of table<ApplyCase>('containerd-apply')) {
  test(`containerd ${name}`, { skip }, () => {
    using place = playground();
    mkdirSync(place.rootfs);
    for (const { op, path, mode, content, target } of base) {
      const file = join(place.rootfs, path);
      if (op === 'mkdir') mkdirSync(file);
      else if (op === 'symlink') symlinkSync(target ?? '', file);
      else writeFileSync(file, content ?? '');
      if (op !== 'symlink') chmodSync(file, Number(mode));
    }
    const apply = () => applyLayers(place.rootfs, [layer.map(testEntry)]);
    if (error !== undefined || refusedHere.has(name)) {
      assert.throws(apply, (thrown) => isOciError(thrown, 'ERR_OCI_LAYER_ESCAPE'));
      return;
    }
    apply();
    const inRoot = (path = '') => join(place.rootfs, path);
    for (const { check, path, content, a, b } of checks) {
      if (check === 'fileEquals') assert.equal(readFileSync(inRoot(path), 'utf8'), content);
      else if (check === 'absent') assert.throws(() => lstatSync(inRoot(path)), { code: 'ENOENT' });
      else assert.equal(inode(place.rootfs, a), inode(place.rootfs, b), `${a} and ${b}`);
    }
  });
}

/** The inode at a path; `localetc` may be an absolute link, which here leads to the root's own `etc`. */
function inode(rootfs: string, path = ''): number {
  const direct = path.replace(/^\//, '');
  try {
    const first = join(rootfs, direct.split('/')[0] ?? '');
    if (lstatSync(first).isSymbolicLink() && direct.includes('/'))
      return inode(rootfs, `etc/${direct.split('/')[1]}`);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOENT');
  }
  return lstatSync(join(rootfs, direct)).ino;
}

interface OpaqueCase {
  readonly name: string;
  readonly dir: string;
  readonly entries: readonly (TableEntry & { path: string; alsoInUpperLayer: boolean; survives: boolean })[];
}

for (const { name, dir, entries } of table<OpaqueCase>('umoci-opaque')) {
  test(`umoci opaque ${name}: the marker works in any position`, { skip }, () => {
    const made = entries.map(({ path, type, target }): TestEntry => {
      const fields = { name: `${dir}/${path}`, type: types[type] ?? 'file' };
      return target === undefined ? fields : { ...fields, linkname: target };
    });
    const upper = made.filter((_, index) => entries[index]?.alsoInUpperLayer);
    for (let position = 0; position <= upper.length; position += 1) {
      using place = playground();
      mkdirSync(place.rootfs);
      const marker: TestEntry = { name: `${dir}/.wh..wh..opq`, type: 'file' };
      applyLayers(place.rootfs, [
        [{ name: dir, type: 'directory' }, ...made],
        upper.toSpliced(position, 0, marker),
      ]);
      const left = snapshot(place.rootfs);
      for (const { path, survives } of entries) {
        assert.equal(left.has(`${dir}/${path}`), survives, `${path} with the marker at ${position}`);
      }
    }
  });
}

interface NameCase {
  readonly path: string;
  readonly isDir: boolean;
  readonly error: boolean;
}

for (const { path, isDir, error } of table<NameCase>('umoci-whiteout-names')) {
  test(`umoci whiteout of ${JSON.stringify(path)}${isDir ? ', a directory' : ''}`, { skip }, () => {
    using place = playground();
    mkdirSync(place.rootfs);
    const whiteout = path.replace(/[^/]*$/, '.wh.$&');
    const lower: TestEntry[] = error ? [] : [{ name: path, type: isDir ? 'directory' : 'file' }];
    const apply = () => applyLayers(place.rootfs, [lower, [{ name: whiteout, type: 'file' }]]);
    if (error) assert.throws(apply, (thrown) => isOciError(thrown, 'ERR_OCI_LAYER_INVALID'));
    else {
      apply();
      assert.equal(snapshot(place.rootfs).has(path), false);
    }
  });
}

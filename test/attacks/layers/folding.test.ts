import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  createLayerApplier,
  linuxOperations,
  type MetadataTarget,
  type NamedEntry,
  type RootfsOperations,
} from '@ocijs/bundle';
import { createTarParser, isOciError, type TarWriteEntry } from '@ocijs/image';
import { missing } from '../../kit/requirements.ts';
import { arena, directory, file, link, symlink, tarOf } from './arena.ts';

const skip = missing({ root: true });
const composed = '\u00e9';
const decomposed = 'e\u0301';

/** What a file system does that takes names for one that differ in case or composition, as those of macOS do. */
function folding(operations: RootfsOperations): RootfsOperations {
  const fold = (name: string): string => name.normalize('NFC').toLowerCase();
  const folded = (entry: NamedEntry): NamedEntry => ({ ...entry, name: fold(entry.name) });
  const target = (wanted: MetadataTarget): MetadataTarget => ('fd' in wanted ? wanted : folded(wanted));
  return {
    ...operations,
    openDirectory: (fd, path) => operations.openDirectory(fd, fold(path)),
    status: (entry) => operations.status(folded(entry)),
    readLink: (entry) => operations.readLink(folded(entry)),
    createFile: (entry, mode) => operations.createFile(folded(entry), mode),
    makeDirectory: (entry, mode) => operations.makeDirectory(folded(entry), mode),
    makeSymlink: (entry, linkTarget) => operations.makeSymlink(folded(entry), linkTarget),
    makeLink: (entry, newEntry) => operations.makeLink(folded(entry), folded(newEntry)),
    makeNode: (entry, node) => operations.makeNode(folded(entry), node),
    remove: (entry) => operations.remove(folded(entry)),
    removeDirectory: (entry) => operations.removeDirectory(folded(entry)),
    setOwner: (wanted, owner) => operations.setOwner(target(wanted), owner),
    setMode: (wanted, mode) => operations.setMode(target(wanted), mode),
    setTimes: (wanted, times) => operations.setTimes(target(wanted), times),
    listAttributes: (wanted) => operations.listAttributes(target(wanted)),
    setAttribute: (wanted, name, value) => operations.setAttribute(target(wanted), name, value),
    removeAttribute: (wanted, name) => operations.removeAttribute(target(wanted), name),
  };
}

async function apply(rootfs: string, layers: readonly (readonly TarWriteEntry[])[]): Promise<void> {
  for (const layer of layers) {
    using applier = createLayerApplier(rootfs, {
      rootless: false,
      placeholderDevices: false,
      uidMap: [],
      gidMap: [],
      keepDirlinks: false,
      operations: folding(linuxOperations()),
    });
    const parser = createTarParser(applier);
    parser.push(await tarOf(layer));
    parser.finish();
    applier.finish();
  }
}

/** Names of which the second leads where the first one is. */
const pairs = [
  ['Name', 'nAME'],
  [composed, decomposed],
  ['\u212a', 'k'],
] as const;

describe('attack 7: names that differ in case or composition alone (CVE-2026-23950)', { skip }, () => {
  test('are different names here', async () => {
    await using at = await arena();
    const names = [...new Set(pairs.flat())];
    const { rootfs } = await at.attack([names.map((name) => file(name, name))]);
    assert.deepEqual(readdirSync(rootfs).sort(), names.sort());
    for (const name of names) assert.equal(readFileSync(join(rootfs, name), 'utf8'), name);
    await at.check();
  });

  for (const [one, other] of pairs) {
    test(`where ${one} and ${other} are one name: no write through a link, in whatever order`, async () => {
      const attacks = (outside: string): readonly (readonly (readonly TarWriteEntry[])[])[] => [
        [[symlink(one, outside), file(`${other}/canary`), file(`${other}/new`)]],
        [[symlink(one, outside)], [file(`${other}/canary`), directory(other, { mode: 0o777, uid: 1 })]],
        // Known as a directory by one name, made a link by the other.
        [
          [
            directory(one),
            file(`${one}/x`),
            symlink(other, outside),
            file(`${one}/canary`),
            file(`${one}/new`),
          ],
        ],
        [[directory(`${one}/d`)], [symlink(other, outside), file(`${one}/d/new`), file(`${one}/canary`)]],
        [[symlink(one, `${outside}/canary`), file(other, 'overwritten', { mode: 0o777, uid: 1 })]],
        [[symlink(one, `${outside}/canary`), link('l', other)], [file('l', 'overwritten', { mode: 0o777 })]],
        [[symlink(one, outside)], [file(`${other}/.wh.canary`), file(`${other}/.wh..wh..opq`)]],
      ];
      for (const [index] of attacks('').entries()) {
        await using at = await arena();
        mkdirSync(at.target);
        const layers = attacks(at.outside)[index] ?? [];
        await apply(at.target, layers).catch((error: unknown) => assert.ok(isOciError(error), String(error)));
        await at.check();
        assert.equal(existsSync(join(at.outside, 'new')), false);
      }
    });
  }
});

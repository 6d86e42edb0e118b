import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestEntry } from './entries.ts';

/** An entry of a table of layers. */
export interface TableEntry {
  readonly type: string;
  readonly name: string;
  readonly target?: string;
  readonly content?: string | { readonly $bytes: readonly number[] };
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly dev?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** What the tables call the types of entries. */
export const types: Readonly<Record<string, TestEntry['type']>> = {
  dir: 'directory',
  file: 'file',
  reg: 'file',
  rega: 'file',
  symlink: 'symlink',
  hardlink: 'link',
  fifo: 'fifo',
  char: 'character-device',
};

/** The entry that a table's entry describes. */
export function testEntry({ type, name, target, content, mode, mtime, dev, ...rest }: TableEntry): TestEntry {
  const known = types[type];
  assert.ok(known !== undefined, type);
  return {
    ...rest,
    name,
    type: known,
    ...(content === undefined
      ? {}
      : { content: typeof content === 'string' ? content : Buffer.from(content.$bytes) }),
    ...(target === undefined ? {} : { linkname: target }),
    ...(mode === undefined ? {} : { mode: Number(mode) & 0o7777 }),
    ...(mtime === undefined ? {} : { mtimeNs: BigInt(mtime) * 1_000_000_000n }),
    ...(dev === undefined ? {} : { deviceMajor: dev[0], deviceMinor: dev[1] }),
  };
}

/** The cases of a table. */
export function table<Case>(name: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`../testdata/${name}.json`, import.meta.url), 'utf8')).cases;
}

/** Every stack of layers in the tables. */
export function stackCases(): readonly {
  readonly name: string;
  readonly layers: readonly (readonly TestEntry[])[];
}[] {
  return table<{ readonly name: string; readonly layers: readonly (readonly TableEntry[])[] }>('stacks').map(
    ({ name, layers }) => ({ name, layers: layers.map((entries) => entries.map(testEntry)) }),
  );
}

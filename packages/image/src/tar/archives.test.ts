import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isOciError } from '../errors.ts';
import { type CollectedEntry, collectTar, expandedContent } from './testing/collect.ts';

type Text = string | { readonly base64: string } | { readonly sha256: string };

interface GoEntry {
  readonly flag: string;
  readonly name: Text;
  readonly linkname?: Text;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname?: string;
  readonly gname?: string;
  readonly mtime: string;
  readonly device?: readonly [number, number];
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly size?: number;
  readonly sha256?: string;
}

interface GoArchive {
  readonly entries: readonly GoEntry[];
  readonly error?: string;
}

const testdata = new URL('testdata/', import.meta.url);
const { archives } = JSON.parse(readFileSync(new URL('archives.json', testdata), 'utf8')) as {
  readonly archives: Readonly<Record<string, GoArchive>>;
};

const types: Readonly<Record<string, string>> = {
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
};

/** Where this parser refuses what Go delivers, and after how many entries. */
const refused: ReadonlyMap<string, number> = new Map([
  ['go/gnu-incremental.tar', 0], // the type D, a directory of an incremental backup, is one that nobody unpacks
]);

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function describeText(text: string, bytes: Buffer | undefined): Text {
  if (bytes !== undefined) return { base64: bytes.toString('base64') };
  return Buffer.byteLength(text) > 400 ? { sha256: digest(Buffer.from(text)) } : text;
}

function asGo(entry: CollectedEntry): Omit<GoEntry, 'flag'> & { readonly type: string } {
  const { header } = entry;
  const { mtimeNs: time } = header;
  const nanoseconds = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (time - nanoseconds) / 1_000_000_000n;
  return {
    type: header.type,
    name: describeText(header.name, header.nameBytes),
    ...(header.linkname !== '' && { linkname: describeText(header.linkname, header.linknameBytes) }),
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    ...(header.uname !== '' && { uname: header.uname }),
    ...(header.gname !== '' && { gname: header.gname }),
    mtime: `${seconds}.${String(nanoseconds).padStart(9, '0')}`,
    ...((header.deviceMajor !== 0 || header.deviceMinor !== 0) && {
      device: [header.deviceMajor, header.deviceMinor] as const,
    }),
    ...(header.xattrs.size > 0 && {
      xattrs: Object.fromEntries([...header.xattrs].map(([name, value]) => [name, value.toString('base64')])),
    }),
    ...(header.type === 'file' && { size: header.size }),
    ...(header.type === 'file' &&
      header.size < 2 ** 26 && {
        sha256: digest(expandedContent(entry)),
      }),
  };
}

function expected({ entries }: GoArchive): readonly unknown[] {
  return entries
    .filter(({ flag }) => flag !== 'g')
    .map(({ flag, ...rest }) => ({ type: types[flag] ?? `unknown ${flag}`, ...rest }));
}

describe('archives that Go was asked about', () => {
  for (const [name, go] of Object.entries(archives)) {
    test(name, () => {
      const bytes = gunzipSync(readFileSync(new URL(`archives/${name}.gz`, testdata)));
      for (const chunkBytes of [bytes.length, 512, 65536, 513, 100, 1].filter(
        (size) => size > 1 || bytes.length < 20_000,
      )) {
        const { entries, error } = collectTar(bytes, chunkBytes);
        const refusal = refused.get(name);
        if (go.error === undefined && refusal === undefined) assert.ifError(error);
        else assert.ok(isOciError(error), `an error was due, ${error} came`);
        const wanted = expected(go).slice(0, refusal);
        assert.deepEqual(entries.map(asGo), wanted, `in chunks of ${chunkBytes}`);
      }
    });
  }
});

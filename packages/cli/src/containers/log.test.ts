import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KnownContainer } from './collection.ts';
import { readLog } from './log.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-cli-log-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function tailOf(text: string, tail: number | undefined): Promise<string> {
  const container: KnownContainer = {
    directory,
    record: {
      id: 'a'.repeat(64),
      name: 'logged',
      image: { name: '', digest: '' },
      command: [],
      created: '',
      root: directory,
      remove: false,
      bundle: directory,
    },
  };
  await writeFile(join(directory, 'output.log'), text);
  const parts: Buffer[] = [];
  const { signal } = new AbortController();
  for await (const part of readLog(container, { tail, signal })) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('the tail of a log is its last lines, the unfinished one included', async () => {
  for (const [text, tail, expected] of [
    ['', 3, ''],
    ['\n', 1, '\n'],
    ['a\nb\nc\n', undefined, 'a\nb\nc\n'],
    ['a\nb\nc\n', 0, ''],
    ['a\nb\nc\n', 1, 'c\n'],
    ['a\nb\nc', 1, 'c'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\n\n\n', 2, '\n\n'],
    ['a\nb\n', 9, 'a\nb\n'],
  ] as const) {
    assert.equal(await tailOf(text, tail), expected, JSON.stringify([text, tail]));
  }
});

test('lines longer than what is read at once are found', async () => {
  const long = 'x'.repeat(64 * 1024);
  for (const extra of [-2, -1, 0, 1, 2]) {
    const line = `${long.slice(0, 64 * 1024 + Math.min(extra, 0))}${'y'.repeat(Math.max(extra, 0))}\n`;
    assert.equal(await tailOf(`first\n${line}${line}`, 1), line);
    assert.equal(await tailOf(`first\n${line}${line}`, 2), line + line);
    assert.equal(await tailOf(`first\n${line}${line}`, 3), `first\n${line}${line}`);
  }
});

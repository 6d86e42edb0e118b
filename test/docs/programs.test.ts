import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { command } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { blocksOf } from './blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const skip = process.platform === 'linux' ? false : 'needs Linux';

for (const { line, text } of blocksOf(readFileSync(`${root}docs/api.md`, 'utf8'), 'js')) {
  test(`the program of docs/api.md from line ${line}`, { skip }, async () => {
    await using temporary = await temporaryDirectory();
    await symlink(`${root}node_modules`, `${temporary.path}/node_modules`);
    const args = ['--conditions=source', '--input-type=module', '--eval', text];
    const { status, stdout, stderr } = await command(process.execPath, args, { cwd: temporary.path });
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /^(true \[ '\/greeting' \] library\/hello|\[ 'fetched', .*\]|TimeoutError|hello\n .*)\n$/,
    );
  });
}

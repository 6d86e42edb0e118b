import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { command } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

test('the program of the guide to testing against a registry runs as it is written there', async () => {
  await using temporary = await temporaryDirectory();
  const guide = fileURLToPath(new URL('../../docs/guides/test-against-a-registry.md', import.meta.url));
  const program = /```js\n([\s\S]*?)```/.exec(readFileSync(guide, 'utf8'))?.[1] ?? '';
  const changed = program.replace("'./images'", JSON.stringify(`${temporary.path}/images`));
  const args = ['--conditions=source', '--input-type=module', '--eval', changed];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const { status, stdout, stderr } = await command(process.execPath, args, { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^GET \/v2\/team\/app\/blobs\/\S+ truncate$/m);
  assert.equal(stdout.match(/ status$/gm)?.length, 2);
});

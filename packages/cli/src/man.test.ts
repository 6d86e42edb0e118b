import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { commandSummaries } from './help/summaries.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../scripts/man.mjs', import.meta.url));
const directory = fileURLToPath(new URL('../dist/man/', import.meta.url));

test('there is a man page for every command, and groff has nothing to say of them', async (context) => {
  if (!existsSync('/usr/bin/groff')) return context.skip('needs groff, not installed');
  await run(process.execPath, [script]);
  const names = Object.keys(await commandSummaries());
  assert.deepEqual(readdirSync(directory).sort(), ['oci.1', ...names.map((name) => `oci-${name}.1`)].sort());
  const files = readdirSync(directory).map((name) => `${directory}${name}`);
  const { stdout, stderr } = await run('groff', ['-ww', '-b', '-man', '-Tutf8', '-P-cbou', ...files], {
    maxBuffer: 2 ** 24,
  });
  assert.equal(stderr, '');
  for (const name of names) assert.match(stdout, new RegExp(`oci-${name}(\\s|\u2010)`));
  assert.match(stdout, /--expect-digest=DIGEST/, 'hyphens can be copied');
});

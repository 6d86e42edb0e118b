import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { command } from '../kit/command.ts';

test('docs/cli.md is what the commands say of themselves', async () => {
  const script = fileURLToPath(new URL('../../packages/cli/scripts/reference.mjs', import.meta.url));
  const { status, stdout, stderr } = await command(process.execPath, [script, '--check']);
  assert.equal(status, 0, `run npm run docs -w @ocijs/cli\n${stdout}${stderr}`);
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { output } from '../kit/command.ts';

const snapshot = fileURLToPath(new URL('command-line.txt', import.meta.url));
const packageUrl = new URL('../../packages/cli/dist/', import.meta.url).href;

/**
 * One line for each command, argument and flag with its letter and kind: what scripts may have written down. Printed by
 * the package as it is built.
 */
const program = `
  const { loadCommands } = await import('${packageUrl}commands/index.js');
  for (const [name, command] of Object.entries(await loadCommands())) {
    if (command.hidden) continue;
    console.log(name);
    for (const argument of Object.keys(command.args ?? {})) console.log(name + ' ' + argument.toUpperCase());
    for (const [flag, { type, char, multiple, options, hidden }] of Object.entries({ ...command.baseFlags, ...command.flags })) {
      if (hidden) continue;
      const kind = type === 'boolean' ? '' : multiple ? '=VALUE...' : '=VALUE';
      console.log(name + ' --' + flag + kind);
      if (char) console.log(name + ' -' + char + kind);
      for (const option of options ?? []) console.log(name + ' --' + flag + '=' + option);
    }
  }`;

test('no command, argument, flag or value of a flag has gone', async (context) => {
  const now = (await output(process.execPath, ['--input-type=module', '--eval', program])).trim().split('\n');
  const before = readFileSync(snapshot, 'utf8').trim().split('\n');
  const gone = before.filter((line) => !now.includes(line));
  assert.deepEqual(
    gone,
    [],
    'scripts use these; when they have to go, say so in CHANGELOG.md and take the lines out of command-line.txt',
  );
  const added = now.filter((line) => !before.includes(line));
  if (process.env['UPDATE_SNAPSHOTS'])
    writeFileSync(snapshot, `${[...before, ...added].sort().join('\n')}\n`);
  else context.diagnostic(`new, for command-line.txt (UPDATE_SNAPSHOTS=1): ${added.join(', ') || 'nothing'}`);
});

test('the snapshot is in order and says nothing twice', () => {
  const lines = readFileSync(snapshot, 'utf8').trim().split('\n');
  assert.deepEqual(lines, [...new Set(lines)].sort());
  assert.ok(lines.includes('run --rm') && lines.includes('pull --expect-digest=VALUE'));
});

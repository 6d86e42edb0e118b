import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterCut, cutAtPositional } from './cut.ts';
import { runFlags } from './flags.ts';

const cases: [string, string[], string[]][] = [
  ['debian', [], ['debian']],
  ['debian ls -l --rm', [], ['debian', 'ls', '-l', '--rm']],
  ['--rm debian ls', ['--rm'], ['debian', 'ls']],
  ['--name web debian', ['--name', 'web'], ['debian']],
  ['--name=web debian', ['--name=web'], ['debian']],
  ['-it debian sh', ['-it'], ['debian', 'sh']],
  ['-itv /a:/b debian', ['-itv', '/a:/b'], ['debian']],
  ['-itv/a:/b debian', ['-itv/a:/b'], ['debian']],
  ['-e A=1 -e B=2 debian env', ['-e', 'A=1', '-e', 'B=2'], ['debian', 'env']],
  ['-e -x debian', ['-e', '-x'], ['debian']],
  ['--rm -- debian --help', ['--rm'], ['debian', '--help']],
  ['debian -- ls', [], ['debian', '--', 'ls']],
  ['--unknown debian', ['--unknown'], ['debian']],
  ['--help', ['--help'], []],
  ['-u', ['-u'], []],
  ['-', [], ['-']],
];

for (const [line, flags, positionals] of cases) {
  test(`cuts ${line}`, () => {
    assert.deepEqual(cutAtPositional(line.split(' '), runFlags), { flags, positionals });
  });
}

test('an alias takes its value, too', () => {
  const cut = cutAtPositional(['--net', 'host', 'image', '--net', 'x'], runFlags);
  assert.deepEqual(cut, { flags: ['--net', 'host'], positionals: ['image', '--net', 'x'] });
});

test('words of the command keep their order, also those that are flags before', () => {
  assert.deepEqual(afterCut(['-p', '80', '--', 'image', 'httpd', '-p', '80']), [
    'image',
    'httpd',
    '-p',
    '80',
  ]);
  assert.deepEqual(afterCut(['-p', '80']), []);
});

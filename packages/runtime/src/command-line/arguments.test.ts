import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flags, numberFlag, type ParsedArguments, parseArguments, textFlag } from './arguments.ts';

const flags: Flags = {
  bundle: { takes: 'text', short: 'b', about: '' },
  'preserve-fds': { takes: 'number', about: '' },
  force: { takes: 'nothing', short: 'f', about: '' },
};

function parse(argv: string[], interspersed = true): ParsedArguments {
  return parseArguments(argv, { flags, interspersed });
}

test('flags are written in every form that programs in Go take', () => {
  for (const argv of [
    ['--bundle', 'x'],
    ['--bundle=x'],
    ['-bundle', 'x'],
    ['-b', 'x'],
    ['-b=x'],
    ['--b', 'x'],
  ]) {
    assert.equal(textFlag(parse(argv), 'bundle'), 'x', argv.join(' '));
  }
  assert.equal(textFlag(parse(['--bundle=a=b']), 'bundle'), 'a=b');
  assert.equal(textFlag(parse(['--bundle=']), 'bundle'), '');
  assert.equal(numberFlag(parse(['--preserve-fds', '3']), 'preserve-fds'), 3);
});

test('switches can be turned off again', () => {
  assert.equal(parse(['-f']).flags.has('force'), true);
  assert.equal(parse(['--force=true']).flags.has('force'), true);
  assert.equal(parse(['--force', '--force=false']).flags.has('force'), false);
});

test('words and flags may be mixed, or the first word ends the flags', () => {
  const mixed = parse(['id', '--force', 'KILL']);
  assert.deepEqual([mixed.words, mixed.flags.has('force')], [['id', 'KILL'], true]);
  const strict = parse(['-f', 'exec', '--bundle', 'x'], false);
  assert.deepEqual(strict.words, ['exec', '--bundle', 'x']);
  assert.deepEqual(parse(['-f', '--', '--force', '-']).words, ['--force', '-']);
  assert.deepEqual(parse(['-']).words, ['-']);
});

test('mistakes are named as callers of runc know them', () => {
  const mistakes: [string[], RegExp][] = [
    [['--nothing'], /flag provided but not defined: -nothing/],
    [['--constructor'], /flag provided but not defined: -constructor/],
    [['--bundle'], /flag needs an argument: -bundle/],
    [['--preserve-fds', 'x'], /invalid value "x" for flag -preserve-fds/],
    [['--force=maybe'], /invalid boolean value "maybe" for -force/],
  ];
  for (const [argv, message] of mistakes) {
    assert.throws(() => parse(argv), { code: 'ERR_OCI_COMMAND_INVALID', message });
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { createIgnoreRules, parseIgnoreFile } from './ignore.ts';
import { compilePattern } from './pattern.ts';

function cases<Case>(name: string): readonly Case[] {
  const file = new URL(`./testdata/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] }).cases;
}

interface PatternCase {
  readonly kind: string;
  readonly pattern?: string;
  readonly patterns?: readonly string[];
  readonly path: string;
  readonly match: boolean;
  readonly error?: string;
  readonly regexp?: string;
  readonly matchType?: string;
}

describe('third-party patterns', () => {
  for (const { kind, pattern = '', patterns = [pattern], path, match, error } of cases<PatternCase>(
    'patternmatcher',
  )) {
    if (kind === 'regexp') continue;
    test(`${patterns.join(' ')} and ${path}`, () => {
      if (error === undefined) assert.equal(createIgnoreRules(patterns).ignores(path), match);
      else
        assert.throws(
          () => createIgnoreRules(patterns),
          (thrown) => isOciError(thrown, 'ERR_OCI_IGNORE_PATTERN_INVALID'),
        );
    });
  }

  test('patterns match what the regular expressions of the table match', () => {
    const paths = [
      '',
      'file',
      'dir',
      'dir2/x',
      'a/b',
      'ab/b',
      'a/c/b',
      'x/dir',
      'x/y/dir2/z',
      'x/dir2/y/z',
      'q.txt',
      'x/q.txt',
      'ace',
      'abcXdef',
      'abc/def',
    ];
    const compared = cases<PatternCase>('patternmatcher').filter(
      ({ matchType }) => matchType === 'regexpMatch',
    );
    assert.ok(compared.length > 5);
    for (const { pattern = '', regexp = '' } of compared)
      for (const path of paths)
        assert.equal(
          compilePattern(pattern)(path),
          new RegExp(regexp, 'u').test(path),
          `${pattern} and ${path}`,
        );
  });
});

test('an ignore file', () => {
  for (const { content, expected } of cases<{ content: string; expected: readonly string[] }>(
    'dockerignore-file',
  ))
    assert.deepEqual(parseIgnoreFile(content), expected);
});

test('an exception of nothing is refused', () => {
  assert.throws(() => createIgnoreRules(['!']), /excepts nothing/);
});

test('a hostile pattern takes no time', () => {
  const matches = compilePattern(`${'*a'.repeat(60)}**/${'*a'.repeat(60)}b`);
  assert.equal(matches('a'.repeat(4000)), false);
});

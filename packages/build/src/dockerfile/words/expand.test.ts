import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { WordError } from './error.ts';
import { expandWord } from './expand.ts';

function cases<Case>(name: string): readonly Case[] {
  const file = new URL(`../testdata/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] }).cases;
}

interface WordCase {
  readonly platform: string;
  readonly word: string;
  readonly expect?: string;
}

describe('words of the third-party table', () => {
  const variables = new Map([
    ['PWD', '/home'],
    ['SHELL', 'bash'],
    ['KOREAN', '한국어'],
    ['NULL', ''],
  ]);
  for (const { platform, word, expect } of cases<WordCase>('shell-envvar')) {
    if (platform !== 'all' && platform !== 'unix') continue;
    test(word, () => {
      if (expect === undefined) assert.throws(() => expandWord(word, { variables }), WordError);
      else assert.equal(expandWord(word, { variables }).text, expect);
    });
  }
});

interface SplitCase {
  readonly env: readonly string[];
  readonly words: string;
  readonly expect: readonly string[];
}

describe('splitting after expansion', () => {
  for (const { env, words, expect } of cases<SplitCase>('shell-words'))
    test(`${words} with ${env.join(' ')}`, () => {
      const variables = new Map(env.map((pair) => pair.split(/=(.*)/s, 2) as [string, string]));
      assert.deepEqual(expandWord(words, { variables }).words, expect);
    });
});

interface MatchCase {
  readonly word: string;
  readonly env: Readonly<Record<string, string>>;
  readonly expect?: string;
  readonly usedVars: readonly string[];
  readonly unsetVars: readonly string[];
}

describe('operators', () => {
  for (const { word, env, expect, usedVars, unsetVars } of cases<MatchCase>('shell-matches'))
    test(word, () => {
      const variables = new Map(Object.entries(env));
      if (expect === undefined) {
        assert.throws(() => expandWord(word, { variables }), WordError);
        return;
      }
      const { text, used, unset } = expandWord(word, { variables });
      assert.equal(text, expect);
      assert.deepEqual([...used].sort(), usedVars);
      assert.deepEqual([...unset].sort(), unsetVars);
    });
});

describe('limits', () => {
  test('braces within braces', () => {
    assert.throws(() => expandWord(`${'${a:-'.repeat(10_000)}x`, { variables: new Map() }), /nested 64 deep/);
  });

  test('a text that grows without end', () => {
    const variables = new Map([['big', 'x'.repeat(1_000_000)]]);
    assert.throws(() => expandWord('$big'.repeat(5), { variables }), /may grow to/);
  });

  test('a pattern of many stars takes no time', () => {
    const variables = new Map([['a', 'x'.repeat(2000)]]);
    assert.equal(expandWord(`\${a%%${'*x'.repeat(40)}y}`, { variables }).text.length, 2000);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { createIgnoreRules } from '../ignore/ignore.ts';
import { lint } from './lint.ts';
import type { Finding } from './types.ts';

interface RuleCase {
  readonly rule: string;
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

const { cases } = JSON.parse(
  readFileSync(new URL('../dockerfile/testdata/lint-rules.json', import.meta.url), 'utf8'),
) as { cases: readonly RuleCase[] };

function findings(text: string, ignored: readonly string[] = []): readonly Finding[] {
  // The examples of the table are not all whole Dockerfiles.
  const whole = /^from/im.test(text) ? text : `FROM scratch\n${text}`;
  const dockerfile = parseDockerfile(`# check=experimental=all\n${whole}`);
  return lint({ dockerfile, given: new Map(), ignore: createIgnoreRules(ignored) }).findings;
}

function names(text: string, ignored: readonly string[] = []): readonly string[] {
  return findings(text, ignored).map(({ check }) => check);
}

describe('the examples of the rules', () => {
  for (const { rule, bad, good } of cases) {
    for (const text of bad)
      test(`${rule} finds ${JSON.stringify(text)}`, () => assert.ok(names(text).includes(rule)));
    for (const text of good)
      test(`${rule} is quiet about ${JSON.stringify(text)}`, () => assert.ok(!names(text).includes(rule)));
  }
});

describe('rules without examples', () => {
  const examples: readonly (readonly [string, string, string])[] = [
    ['ConsistentInstructionCasing', 'FROM a\nRun x\nCMD ["a"]', 'from a\nrun x'],
    ['ExposeInvalidFormat', 'FROM a\nEXPOSE 127.0.0.1:80:80', 'FROM a\nEXPOSE 80'],
    ['FromAsCasing', 'FROM a as b', 'from a as b'],
    [
      'FromPlatformFlagConstDisallowed',
      'FROM --platform=linux/amd64 a AS b',
      'FROM --platform=linux/amd64 a AS b-amd64',
    ],
    ['LegacyKeyValueFormat', 'FROM a\nENV A b', 'FROM a\nENV A=b'],
    [
      'MultipleInstructionsDisallowed',
      'FROM a\nCMD ["a"]\nCMD ["b"]',
      'FROM a\nCMD ["a"]\nFROM b\nCMD ["b"]',
    ],
    ['ReservedStageName', 'FROM a AS scratch', 'FROM a AS b'],
    ['SecretsUsedInArgOrEnv', 'FROM a\nARG AWS_SECRET_ACCESS_KEY', 'FROM a\nARG PUBLIC_KEY'],
    ['UndefinedVar', 'FROM a\nARG B\nCOPY $C /x', 'FROM a\nARG C\nCOPY $C /x'],
  ];
  for (const [rule, bad, good] of examples)
    test(rule, () => {
      assert.ok(names(bad).includes(rule), bad);
      assert.ok(!names(good).includes(rule), good);
    });

  test('CopyIgnoredFile', () => {
    assert.ok(names('FROM a\nCOPY ./x.md /', ['*.md']).includes('CopyIgnoredFile'));
    assert.ok(
      !names('FROM a AS b\nCOPY x.txt /\nCOPY --from=b /x.md /', ['*.md']).includes('CopyIgnoredFile'),
    );
  });
});

test('a finding has its line, and near names', () => {
  const [finding] = findings('FROM a\n\nARG VERSION\nLABEL v=$VERSOIN');
  assert.deepEqual(finding, {
    check: 'UndefinedVar',
    message: "Usage of undefined variable '$VERSOIN' (did you mean $VERSION?)",
    line: 5,
  });
});

test('the file says what is skipped and what fails', () => {
  const report = (directive: string) =>
    lint({
      dockerfile: parseDockerfile(`# check=${directive}\nFROM a as B\nMAINTAINER x`),
      given: new Map(),
    });
  assert.deepEqual(
    report('skip=FromAsCasing,StageNameCasing;error=true').findings.map(({ check }) => check),
    ['MaintainerDeprecated'],
  );
  assert.equal(report('error=true').failsBuild, true);
  assert.deepEqual(report('skip=all;error=true'), { findings: [], failsBuild: false });
});

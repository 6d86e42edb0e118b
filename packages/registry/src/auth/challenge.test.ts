import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTable } from '../tables.testkit.ts';
import { parseChallenges } from './challenge.ts';

interface Row {
  readonly header: string;
  readonly challenges: readonly {
    readonly scheme: string;
    readonly params: Readonly<Record<string, string>>;
  }[];
}

testTable<Row>('www-authenticate.json', ({ header, challenges }) => {
  const found = parseChallenges([header]).map(({ scheme, parameters }) => ({
    scheme,
    params: Object.fromEntries(parameters),
  }));
  assert.deepEqual(found, challenges);
});

test('several challenges in one value and in several', () => {
  const schemes = (...values: string[]): string[] => parseChallenges(values).map(({ scheme }) => scheme);
  assert.deepEqual(schemes('Basic realm="a", Bearer realm="b",service="c"'), ['basic', 'bearer']);
  assert.deepEqual(schemes('Negotiate abc==, Basic realm="a"', 'Bearer realm="b"'), ['basic', 'bearer']);
});

test('a comma or an equals sign inside quotes separates nothing', () => {
  const [challenge] = parseChallenges(['Bearer realm="https://a/?x=1,2",scope="repository:a:pull,push"']);
  assert.equal(challenge?.parameters.get('realm'), 'https://a/?x=1,2');
  assert.equal(challenge?.parameters.get('scope'), 'repository:a:pull,push');
});

test('the first of two values of a parameter counts', () => {
  const [challenge] = parseChallenges(['Bearer realm="https://good/",realm="https://evil/"']);
  assert.equal(challenge?.parameters.get('realm'), 'https://good/');
});

test('long nonsense is read in linear time', () => {
  const before = performance.now();
  parseChallenges([`Bearer ${'a="\\'.repeat(60_000)}`, '"'.repeat(240_000), ',= '.repeat(80_000)]);
  assert.ok(performance.now() - before < 10_000);
});

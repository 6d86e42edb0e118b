import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultNodeMajor, nodeMajor } from './node-version.ts';

test('the version file decides', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['v22.11.0\n', 22],
    ['20', 20],
    ['# comment\nlts/jod\n', 22],
    ['lts/*', defaultNodeMajor],
    ['node', defaultNodeMajor],
    ['lts/unheard-of', undefined],
    ['system', undefined],
  ];
  for (const [versionFile, major] of cases)
    assert.equal(nodeMajor({ versionFile, engine: '18' }), major, versionFile);
});

test('a range allows the default, or the newest that is long supported', () => {
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    [undefined, defaultNodeMajor],
    ['', defaultNodeMajor],
    ['*', defaultNodeMajor],
    ['>=18', defaultNodeMajor],
    ['>= 18.17.0', defaultNodeMajor],
    ['^20.9.0 || >=22', defaultNodeMajor],
    ['^18.0.0 || ^20.0.0', 20],
    ['~20.11', 20],
    ['20.x', 20],
    ['18', 18],
    ['=16.20.0', 16],
    ['>=18 <21', 20],
    ['>=18 <20.0.0', 18],
    ['<24', 22],
    ['<=22', 22],
    ['>24', 26],
    ['18 - 20', 20],
    ['30.x', 30],
    ['>=31.2', 31],
    ['lts', undefined],
    ['>=20 <18', undefined],
  ];
  for (const [engine, major] of cases) assert.equal(nodeMajor({ engine }), major, engine);
});

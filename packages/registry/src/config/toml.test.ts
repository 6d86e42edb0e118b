import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { parseToml, type TomlValue } from './toml.ts';

function plain(value: TomlValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

const rows: readonly (readonly [string, unknown])[] = [
  ['', {}],
  ['# only a comment', {}],
  ['a = 1\r\nb = -2.5e1 # c\n', { a: 1, b: -25 }],
  ['a = true\nb=false', { a: true, b: false }],
  [`a = "x\\t\\"y\\" \\u00e4 # no"\nb = 'C:\\n'`, { a: 'x\t"y" ä # no', b: 'C:\\n' }],
  [`a = """\none\ntwo \\\n   three"""\nb = '''\nit's'''`, { a: 'one\ntwo three', b: "it's" }],
  [`a = ""\nb = ''`, { a: '', b: '' }],
  ['a = [\n "x", # one\n "y",\n]\nb = [["c", "k"]]\nc = []', { a: ['x', 'y'], b: [['c', 'k']], c: [] }],
  ['"quoted key" = 1\na.b.c = 2\na.b.d = 3', { 'quoted key': 1, a: { b: { c: 2, d: 3 } } }],
  ['[t]\na = 1\n[t.u]\nb = 2\n["x.y"]\nc = 3', { t: { a: 1, u: { b: 2 } }, 'x.y': { c: 3 } }],
  ['[t.u]\nb = 2\n[t]\na = 1', { t: { u: { b: 2 }, a: 1 } }],
  [
    '[[r]]\na = 1\n[[r.m]]\nb = 1\n[[r.m]]\nb = 2\n[[r]]\na = 2',
    { r: [{ a: 1, m: [{ b: 1 }, { b: 2 }] }, { a: 2 }] },
  ],
  ['a = {b = "c", d = [1]}\ne = {}', { a: { b: 'c', d: [1] }, e: {} }],
];
for (const [text, expected] of rows) {
  test(`${JSON.stringify(text)} is read`, () => assert.deepEqual(plain(parseToml(text, 'x')), expected));
}

test('a key cannot reach the prototype of anything', () => {
  const table = parseToml('[__proto__]\nblocked = true\nconstructor = 1', 'x');
  assert.equal(({} as { blocked?: unknown }).blocked, undefined);
  assert.ok(table.has('__proto__'));
});

const refused = [
  'a',
  'a =',
  '= 1',
  'a = 1 b = 2',
  'a = 1\na = 2',
  '[t]\n[t]',
  'a = 1\n[a]',
  'a = 1\na.b = 2',
  '[t',
  '[[t]',
  '[]',
  'a = "x',
  "a = 'x\ny'",
  'a = "\\q"',
  'a = "\\uZZZZ"',
  'a = [1, 2',
  'a = [1 2]',
  'a = {b = 1',
  'a = 2020-01-01',
  'a = 01',
  'a = [1]\n[[a]]',
  'a = yes',
];
for (const text of refused) {
  test(`${JSON.stringify(text)} is refused with its line`, () => {
    assert.throws(
      () => parseToml(text, '/x.conf'),
      (error) =>
        isOciError(error, 'ERR_OCI_REGISTRY_CONFIG_INVALID') &&
        /^configuration \/x\.conf, line \d: /.test(error.message),
    );
  });
}

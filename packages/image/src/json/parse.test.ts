import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ImageError, isOciError } from '../errors.ts';
import { encodeJson } from './encode.ts';
import { parseJson } from './parse.ts';

const options = { limit: 1024 * 1024, what: 'test document' };
const parse = (text: string): unknown => parseJson(Buffer.from(text), options);

function refusedAt(jsonPath: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isOciError(error, 'ERR_OCI_JSON_INVALID'));
    assert.equal(error.facts.jsonPath, jsonPath);
    return true;
  };
}

describe('JSON', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
    );
  });

  test('parse of encode is the identity, and equal values have equal bytes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const object = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        assert.deepEqual(parseJson(encodeJson(object), options), object);
        assert.deepEqual(encodeJson(reversed), encodeJson(object));
      }),
    );
  });

  test('any bytes give a value or an ImageError', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0d8 1e-truefalsn') });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          texts.map((text) => Buffer.from(text)),
        ),
        (raw) => {
          try {
            parseJson(raw, options);
          } catch (error) {
            assert.ok(error instanceof ImageError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a name twice is refused with its place', () => {
    assert.throws(() => parse('{"a":1,"a":1}'), refusedAt('$.a'));
    assert.throws(
      () => parse('{"layers":[{},{"digest":1,"x":{"y":[]},"digest":2}]}'),
      refusedAt('$.layers[1].digest'),
    );
    assert.throws(() => parse('{"a":[[1,2],{"b":{"a b":0,"a\\u0020b":0}}]}'), refusedAt('$.a[1].b["a b"]'));
    assert.throws(() => parse('{"":1,"":2}'), refusedAt('$[""]'));
    assert.throws(() => parse('{"__proto__":1,"__proto__":2}'), refusedAt('$.__proto__'));
  });

  test('the same name in different objects, and strings that look like names, are no duplicates', () => {
    const text = '{"a":{"a":["a","a","{\\"a\\":1,\\"a\\":2}"]},"b":[{"a":1},{"a":2}],"c":"a"}';
    assert.deepEqual(parse(text), JSON.parse(text));
  });

  test('"__proto__" is a name like others', () => {
    const value = parse('{"__proto__":{"polluted":true}}') as object;
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(Buffer.from(encodeJson(value)).toString(), '{"__proto__":{"polluted":true}}');
  });

  test('nesting has a limit', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    parse(nested(64));
    assert.throws(() => parse(nested(65)), { code: 'ERR_OCI_JSON_INVALID', message: /too deep/ });
    assert.throws(() => parse('{"a":'.repeat(100_000)), { code: 'ERR_OCI_JSON_INVALID' });
  });

  for (const [what, bytes] of [
    ['a byte order mark', Buffer.from('\uFEFF{}')],
    ['UTF-8 that is none', Buffer.from([0x22, 0xff, 0x22])],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half an escaped surrogate pair', Buffer.from('"\\ud800"')],
    ['half an escaped surrogate pair in a name', Buffer.from('{"\\udc00":1}')],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['nothing', Buffer.alloc(0)],
    ['two values', Buffer.from('{}{}')],
    ['a comment', Buffer.from('{}//')],
    ['a trailing comma', Buffer.from('{"a":1,}')],
    ['a string without end', Buffer.from('{"a\\')],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => parseJson(bytes, options), { code: 'ERR_OCI_JSON_INVALID' });
    });

  test('the limit is in bytes', () => {
    const raw = Buffer.from('"ü"');
    parseJson(raw, { ...options, limit: 4 });
    assert.throws(() => parseJson(raw, { ...options, limit: 3 }), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
  });

  test('many names, escapes and levels at the limit are read in linear time', () => {
    // Would not end within the patience of any test runner if it were quadratic.
    const names = Array.from({ length: 150_000 }, (_, i) => `"n${i}\\u0020":"\\""`).join(',');
    const raw = Buffer.from(`{"a":[${'"x",'.repeat(300_000)}{${names}}]}`);
    assert.doesNotThrow(() => parseJson(raw, { ...options, limit: raw.length }));
    assert.throws(
      () => parseJson(Buffer.from(`["${'\\'.repeat(4_000_000)}`), { ...options, limit: 2 ** 23 }),
      {
        code: 'ERR_OCI_JSON_INVALID',
      },
    );
  });

  test('a message does not grow with the document', () => {
    const name = 'n'.repeat(500_000);
    assert.throws(
      () => parse(`{"${name}":1,"${name}":2}`),
      (error) => error instanceof ImageError && error.message.length < 1000,
    );
  });
});

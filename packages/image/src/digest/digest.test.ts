import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ImageError, isOciError } from '../errors.ts';
import { testTable } from '../testing/tables.ts';
import { digestAlgorithm, digestHex, isDigest, parseAnyDigest, parseDigest } from './digest.ts';

interface DigestCase {
  readonly input: string;
  readonly valid: boolean;
  readonly error?: string;
}

testTable<DigestCase>('tables/digest-parse.json', ({ input, valid, error }) => {
  if (valid) return assert.equal(parseDigest(input), input);
  const code =
    error === 'digest.ErrDigestUnsupported' ? 'ERR_OCI_DIGEST_UNSUPPORTED' : 'ERR_OCI_DIGEST_INVALID';
  assert.throws(
    () => parseDigest(input),
    (thrown) => isOciError(thrown, code),
  );
  assert.equal(isDigest(input), false);
});

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

describe('digest', () => {
  test('every registered algorithm is read with its own length', () => {
    const digests = fc.oneof(
      hex(64).map((encoded) => ['sha256', encoded] as const),
      hex(128).map((encoded) => ['sha512', encoded] as const),
      hex(64).map((encoded) => ['blake3', encoded] as const),
    );
    fc.assert(
      fc.property(digests, ([algorithm, encoded]) => {
        const digest = parseDigest(`${algorithm}:${encoded}`);
        assert.equal(digestAlgorithm(digest), algorithm);
        assert.equal(digestHex(digest), encoded);
      }),
    );
  });

  test('nothing but an ImageError is thrown, and what is accepted is safe in a path', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `sha256:${rest}`),
        ),
        (text) => {
          try {
            assert.match(parseAnyDigest(text), /^[a-z0-9+._-]+:[A-Za-z0-9=_-]+$/);
          } catch (error) {
            assert.ok(error instanceof ImageError);
          }
        },
      ),
    );
  });

  for (const hostile of [
    'sha256:../../../../etc/passwd',
    `sha256:${'a'.repeat(63)}/`,
    `sha256:${'a'.repeat(64)}\n`,
    `../sha256:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}\0`,
    `x..y:${'a'.repeat(64)}`,
    `constructor:${'a'.repeat(600)}`,
  ])
    test(`${JSON.stringify(hostile.slice(0, 40))} is refused`, () => {
      assert.throws(() => parseAnyDigest(hostile), { code: 'ERR_OCI_DIGEST_INVALID' });
    });

  test('names of object members are not algorithms', () => {
    assert.throws(() => parseDigest('constructor:abc'), { code: 'ERR_OCI_DIGEST_UNSUPPORTED' });
  });

  test('an unregistered algorithm is readable but not usable', () => {
    const digest = parseAnyDigest('sha384:abc');
    assert.throws(() => digestAlgorithm(digest), { code: 'ERR_OCI_DIGEST_UNSUPPORTED' });
    assert.equal(isDigest(digest), false);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { DigestAlgorithm } from './digest.ts';
import { createHasher, digestBytes } from './hasher.ts';

// Of the empty input, from FIPS 180-4 and the BLAKE3 paper's test vectors.
const empty: Readonly<Record<DigestAlgorithm, string>> = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  sha512:
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  blake3: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
};

const algorithms = Object.keys(empty) as DigestAlgorithm[];

describe('hasher', () => {
  for (const algorithm of algorithms) {
    test(`${algorithm} of nothing`, () => {
      assert.equal(createHasher(algorithm).digest(), `${algorithm}:${empty[algorithm]}`);
      assert.equal(digestBytes(new Uint8Array(), algorithm), `${algorithm}:${empty[algorithm]}`);
    });

    test(`${algorithm} does not depend on how bytes are cut, and a copy goes its own way`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
          const hasher = createHasher(algorithm);
          hasher.update(bytes.subarray(0, cut));
          const copy = hasher.copy();
          hasher.update(bytes.subarray(cut));
          copy.update(Buffer.from('other'));
          assert.equal(hasher.digest(), digestBytes(bytes, algorithm));
          assert.equal(
            copy.digest(),
            digestBytes(Buffer.concat([bytes.subarray(0, cut), Buffer.from('other')]), algorithm),
          );
        }),
        { numRuns: 40 },
      );
    });
  }

  test('sha256 is the default', () => {
    assert.equal(
      digestBytes(Buffer.from('{}')),
      'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    );
  });
});

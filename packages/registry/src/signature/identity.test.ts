import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseReference } from '@ocijs/image';
import { checkIdentity, fitsIdentity, type SignedIdentity } from './identity.ts';

interface Case {
  readonly rule: SignedIdentity;
  readonly wanted: string;
  readonly signed: string;
  readonly fits: boolean;
}

const cases = JSON.parse(
  readFileSync(new URL('./testdata/identity.json', import.meta.url), 'utf8'),
) as readonly Case[];

describe('the name in a signature', () => {
  test(`fits as it does for containers/image, in ${cases.length} cases`, () => {
    for (const { rule, wanted, signed, fits } of cases)
      assert.equal(fitsIdentity(signed, { rule, wanted }), fits, JSON.stringify({ rule, wanted, signed }));
  });

  test('is that of the repository when the image is named by digest, whatever tag stands beside it', () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const wanted = parseReference(`example.com/app:v2@${digest}`);
    const rule = { type: 'matchRepoDigestOrExact' } as const;
    checkIdentity('example.com/app:v1', { rule, wanted });
    assert.throws(() => checkIdentity('example.com/other:v1', { rule, wanted }), {
      code: 'ERR_OCI_SIGNATURE_INVALID',
    });
  });

  test('a missing one fits nothing', () => {
    const wanted = parseReference('example.com/app:v1');
    assert.throws(() => checkIdentity(undefined, { rule: { type: 'matchRepository' }, wanted }), {
      code: 'ERR_OCI_SIGNATURE_INVALID',
    });
  });
});

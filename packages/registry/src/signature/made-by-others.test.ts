import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { digestBytes, parseReference } from '@ocijs/image';
import { startFaultRegistry } from '../fault-registry.testkit.ts';
import { verify } from '../index.ts';
import { isSignedBy, parsePublicKey } from './keys/public-key.ts';
import { parseSigningKey } from './keys/signing-key.ts';
import { testKeys } from './signed-image.testkit.ts';

interface Recorded {
  readonly password: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly cases: readonly {
    readonly by: string;
    readonly form: string;
    readonly signedAs: string;
    readonly manifests: readonly {
      readonly reference: string;
      readonly mediaType: string;
      readonly text: string;
    }[];
    readonly blobs: readonly string[];
  }[];
}

const recorded = JSON.parse(
  readFileSync(new URL('./testdata/made-by-others.json', import.meta.url), 'utf8'),
) as Recorded;
const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 0 };

describe('what other tools left in a registry', () => {
  for (const { by, form, signedAs, manifests, blobs } of recorded.cases) {
    test(`a signature by ${by} in the form ${form} is verified`, async () => {
      await using registry = await startFaultRegistry();
      const { repository } = parseReference(signedAs);
      for (const { reference, mediaType, text } of manifests)
        registry.manifests.set(`${repository}:${reference}`, { bytes: Buffer.from(text), mediaType });
      for (const text of blobs) registry.blobs.set(digestBytes(Buffer.from(text)), Buffer.from(text));
      const name = `${registry.host}/${repository}:v1`;
      const signedIdentity = { type: 'exactRepository', dockerRepository: signedAs } as const;
      const request = { ...options, ...(form === 'bundle' ? {} : { signedIdentity }) };
      const annotations = by.startsWith('cosign') ? { x: 'y' } : {};
      const { signatures } = await verify(name, { ...request, key: recorded.publicKey, annotations });
      assert.deepEqual(
        signatures.map((signature) => signature.form),
        [form],
      );
      await assert.rejects(verify(name, { ...request, key: testKeys().publicKey }), {
        code: 'ERR_OCI_SIGNATURE_INVALID',
      });
    });
  }

  test("cosign's private key is decrypted and fits its public key", async () => {
    const { privateKey, publicKey, password } = recorded;
    const key = await parseSigningKey(privateKey, { password });
    const data = Buffer.from('data');
    assert.equal(isSignedBy(parsePublicKey(publicKey), { data, signature: key.sign(data) }), true);
  });
});

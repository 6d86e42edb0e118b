import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Descriptor } from '@ocijs/image';
import {
  makeImage,
  makeIndex,
  type TemporaryStore,
  temporaryDirectory,
  temporaryStore,
} from '../images.testkit.ts';
import { attachArtifact, listReferrers, push, sign, verify } from '../index.ts';
import { type RunningRegistry, startRegistry } from '../server/index.ts';
import { testKeys } from './signed-image.testkit.ts';
import type { SignatureForm } from './types.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 1 };
const forms: readonly SignatureForm[] = ['tag', 'referrer', 'bundle'];
const keys = testKeys();
const key = keys.publicKey;

interface Scene extends AsyncDisposable {
  readonly registry: RunningRegistry;
  readonly made: TemporaryStore;
  readonly image: Descriptor;
  readonly name: string;
}

async function scene(): Promise<Scene> {
  const disposal = new AsyncDisposableStack();
  const directory = disposal.use(await temporaryDirectory());
  const made = disposal.use(await temporaryStore());
  const registry = disposal.use(await startRegistry({ directory: directory.path }));
  const image = await makeImage(made.store);
  const name = `${registry.host}/team/app:v1`;
  await push(image, name, { ...options, store: made.store });
  return { registry, made, image, name, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
}

describe('an image that is signed', () => {
  for (const form of forms) {
    test(`in the form ${form} is verified with the public key, and only with that`, async () => {
      await using at = await scene();
      const signed = await sign(at.name, { ...options, key: keys.privateKey, form });
      assert.equal(signed.digest, at.image.digest);
      const report = await verify(at.name, { ...options, key });
      assert.equal(report.digest, at.image.digest);
      assert.deepEqual(
        report.signatures.map((each) => [each.form, each.signer, each.identity]),
        [[form, { type: 'key', key: 'public key' }, form === 'bundle' ? undefined : at.name]],
      );
      await assert.rejects(verify(at.name, { ...options, key: testKeys().publicKey }), {
        code: 'ERR_OCI_SIGNATURE_INVALID',
        message: /the key did not make it/,
      });
      assert.ok(await verify(at.name, { ...options, key: [testKeys().publicKey, key] }));
    });

    test(`in the form ${form} says annotations, which can be asked for`, async () => {
      await using at = await scene();
      const annotations = { build: '7', 'org.example.note': 'ä' };
      await sign(at.name, { ...options, key: keys.privateKey, form, annotations });
      const report = await verify(at.name, { ...options, key, annotations: { build: '7' } });
      assert.deepEqual(report.signatures[0]?.annotations, annotations);
      for (const wanted of [{ build: '8' }, { other: '' }, { toString: '' }])
        await assert.rejects(verify(at.name, { ...options, key, annotations: wanted }), {
          code: 'ERR_OCI_SIGNATURE_INVALID',
        });
    });

    test(`in the form ${form}: signing again changes nothing, another key adds its own`, async () => {
      await using at = await scene();
      const first = await sign(at.name, { ...options, key: keys.privateKey, form });
      const again = await sign(at.name, { ...options, key: keys.privateKey, form });
      assert.deepEqual(
        [first, again].map(({ signatures }) => signatures[0]?.status),
        ['pushed', 'exists'],
      );
      const other = testKeys();
      await sign(at.name, { ...options, key: other.privateKey, form });
      const both = await verify(at.name, { ...options, key: [key, other.publicKey] });
      assert.deepEqual(both.signatures.map(({ signer }) => signer.type === 'key' && signer.key).sort(), [
        'public key 1',
        'public key 2',
      ]);
    });
  }

  test('by five keys at a time, in a form that refers to it, has five signatures', async () => {
    await using at = await scene();
    const all = Array.from({ length: 5 }, testKeys);
    await Promise.all(
      all.map(({ privateKey }) => sign(at.name, { ...options, key: privateKey, form: 'bundle' })),
    );
    const publicKeys = all.map(({ publicKey }) => publicKey);
    const { signatures } = await verify(at.name, { ...options, key: publicKeys });
    assert.equal(signatures.length, 5);
  });

  test('by digest has the digest in its name, and is one of the repository', async () => {
    await using at = await scene();
    const byDigest = at.name.replace(':v1', `@${at.image.digest}`);
    const report = await sign(byDigest, { ...options, key: keys.privateKey });
    assert.equal(report.identity, byDigest);
    assert.ok(await verify(at.name, { ...options, key }));
  });

  test('under another name counts only when that is asked for', async () => {
    await using at = await scene();
    const identity = 'registry.example.com/team/app:v1';
    await sign(at.name, { ...options, key: keys.privateKey, identity });
    await assert.rejects(verify(at.name, { ...options, key }), {
      code: 'ERR_OCI_SIGNATURE_INVALID',
      message: /the signature is of "registry\.example\.com\/team\/app:v1"/,
    });
    for (const signedIdentity of ['any', { type: 'exactReference', dockerReference: identity }] as const)
      assert.ok(await verify(at.name, { ...options, key, signedIdentity }));
  });

  test('that is an index has its own signature, and with recursive one for every image', async () => {
    await using at = await scene();
    const { store } = at.made;
    const other = await makeImage(store, { seed: 2, platform: { os: 'linux', architecture: 'arm64' } });
    const index = await makeIndex(store, [{ descriptor: at.image }, { descriptor: other }]);
    const name = `${at.registry.host}/team/multi:v1`;
    await push(index, name, { ...options, store, allPlatforms: true });
    await sign(name, { ...options, key: keys.privateKey });
    const child = name.replace(':v1', `@${other.digest}`);
    await assert.rejects(verify(child, { ...options, key }), { code: 'ERR_OCI_SIGNATURE_NOT_FOUND' });
    const all = await sign(name, { ...options, key: keys.privateKey, recursive: true });
    assert.deepEqual(
      all.signatures.map(({ digest, status }) => [digest, status]),
      [
        [index.digest, 'exists'],
        [at.image.digest, 'pushed'],
        [other.digest, 'pushed'],
      ],
    );
    assert.ok(await verify(child, { ...options, key }));
  });

  test('or not: without a signature that is said, and an artifact of another kind is none', async () => {
    await using at = await scene();
    await attachArtifact(at.name, [], {
      ...options,
      artifactType: 'application/vnd.example.report+json',
      annotations: { a: 'b' },
    });
    assert.equal((await listReferrers(at.name, options)).referrers.length, 1);
    await assert.rejects(verify(at.name, { ...options, key }), { code: 'ERR_OCI_SIGNATURE_NOT_FOUND' });
  });

  test('is refused when the name has moved from the digest that is expected', async () => {
    await using at = await scene();
    await sign(at.name, { ...options, key: keys.privateKey });
    const other = await makeImage(at.made.store, { seed: 3 });
    await assert.rejects(verify(at.name, { ...options, key, expectDigest: other.digest }), {
      code: 'ERR_OCI_DIGEST_MISMATCH',
    });
  });

  test('needs exactly one of key and keyless identity', async () => {
    await assert.rejects(verify('example.com/a', options), { code: 'ERR_OCI_SIGNATURE_KEY_INVALID' });
  });
});

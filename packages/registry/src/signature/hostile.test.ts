import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Descriptor, encodeJson } from '@ocijs/image';
import { type FaultRegistry, serveImage, startFaultRegistry } from '../fault-registry.testkit.ts';
import { makeImage, type TemporaryStore, temporaryStore } from '../images.testkit.ts';
import { verify } from '../index.ts';
import { limits } from '../limits.ts';
import { encodeClaim, layerAnnotations } from './forms/simple-signing.ts';
import {
  type PlantedSignature,
  plantReferrer,
  plantTagged,
  type TestKeys,
  testKeys,
} from './signed-image.testkit.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 0 };
const name = 'team/app';
const keys = testKeys();

interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly image: Descriptor;
  readonly other: Descriptor;
  readonly reference: string;
}

async function scene(): Promise<Scene> {
  const disposal = new AsyncDisposableStack();
  const { store }: TemporaryStore = disposal.use(await temporaryStore());
  const registry = disposal.use(await startFaultRegistry());
  const image = await makeImage(store);
  const other = await makeImage(store, { seed: 2 });
  await serveImage(registry, { store, top: image, name, tag: 'v1' });
  return {
    registry,
    image,
    other,
    reference: `${registry.host}/${name}:v1`,
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

function signed(payload: Uint8Array, by: TestKeys = keys): PlantedSignature {
  const signature = by.sign(payload).toString('base64');
  return { payload, annotations: { [layerAnnotations.signature]: signature } };
}

function claim({ image, reference }: Scene): Uint8Array {
  return encodeClaim({ digest: image.digest, identity: reference, annotations: {} });
}

/** The document with a change; whoever signs it means it. */
function changedClaim(
  at: Scene,
  change: (document: Record<string, Record<string, unknown>>) => void,
): Uint8Array {
  const document = JSON.parse(Buffer.from(claim(at)).toString()) as Record<string, Record<string, unknown>>;
  change(document);
  return encodeJson(document);
}

const check = (at: Scene) => verify(at.reference, { ...options, key: keys.publicKey });
const invalid = (message: RegExp) => ({ code: 'ERR_OCI_SIGNATURE_INVALID', message });

describe('attack 27: signature check quirks', () => {
  test('the scene itself is right: a planted signature counts', async () => {
    await using at = await scene();
    plantTagged(at.registry, { name, digest: at.image.digest, signatures: [signed(claim(at))] });
    assert.equal((await check(at)).signatures.length, 1);
  });

  test('a signature of another image, put in the place of this one', async () => {
    await using at = await scene();
    const payload = encodeClaim({ digest: at.other.digest, identity: at.reference, annotations: {} });
    plantTagged(at.registry, { name, digest: at.image.digest, signatures: [signed(payload)] });
    await assert.rejects(check(at), invalid(/of another image/));
  });

  test('a document that was changed after it was signed', async () => {
    await using at = await scene();
    const { annotations } = signed(
      encodeClaim({ digest: at.other.digest, identity: at.reference, annotations: {} }),
    );
    plantTagged(at.registry, {
      name,
      digest: at.image.digest,
      signatures: [{ payload: claim(at), annotations }],
    });
    await assert.rejects(check(at), invalid(/the key did not make it/));
  });

  for (const [what, change, message] of [
    [
      'of another type',
      (d) => Object.assign(d['critical'] ?? {}, { type: 'atomic container signature' }),
      /critical\.type/,
    ],
    [
      'with an unknown critical field',
      (d) => Object.assign(d['critical'] ?? {}, { expires: 1 }),
      /unknown field/,
    ],
    ['with an unknown field', (d) => Object.assign(d, { more: {} }), /unknown field/],
    [
      'without an identity',
      (d) => Object.assign(d['critical'] ?? {}, { identity: {} }),
      /docker-reference is not a string/,
    ],
    [
      'with a list of annotations',
      (d) => Object.assign(d, { optional: ['a'] }),
      /annotations are not an object/,
    ],
  ] as const satisfies readonly (readonly [
    string,
    (d: Record<string, Record<string, unknown>>) => void,
    RegExp,
  ])[]) {
    test(`a signed document ${what}`, async () => {
      await using at = await scene();
      const signatures = [signed(changedClaim(at, change))];
      plantTagged(at.registry, { name, digest: at.image.digest, signatures });
      await assert.rejects(check(at), invalid(message));
    });
  }

  test('a signed document with a name twice', async () => {
    await using at = await scene();
    const text = Buffer.from(claim(at)).toString().replace('"critical":{', `"critical":{"type":"x",`);
    plantTagged(at.registry, { name, digest: at.image.digest, signatures: [signed(Buffer.from(text))] });
    await assert.rejects(check(at), invalid(/more than once|twice|duplicate/i));
  });

  test('documents too large to be read are not fetched', async () => {
    await using at = await scene();
    const large = { ...signed(Buffer.alloc(10)), size: limits.signaturePayloadBytes + 1 };
    plantTagged(at.registry, { name, digest: at.image.digest, signatures: [large] });
    await assert.rejects(check(at), invalid(/more than 131072/));
    assert.ok(at.registry.requests.every(({ path }) => !path.includes('/blobs/')));
  });

  test('signatures that are no base64, and layers without any, hide none that counts', async () => {
    await using at = await scene();
    const broken = { payload: Buffer.from('{}'), annotations: { [layerAnnotations.signature]: '!' } };
    const none = { payload: Buffer.from('{}'), annotations: {} };
    plantTagged(at.registry, {
      name,
      digest: at.image.digest,
      signatures: [broken, none, signed(claim(at))],
    });
    assert.equal((await check(at)).signatures.length, 1);
  });

  test('more signatures than anybody needs are looked at up to a limit', async () => {
    await using at = await scene();
    const junk = signed(claim(at), testKeys());
    const signatures = Array.from({ length: limits.signatures + 10 }, () => junk);
    plantTagged(at.registry, { name, digest: at.image.digest, signatures });
    await assert.rejects(check(at), invalid(/more than 256 signatures/));
  });

  test('an artifact that is listed for this image and refers to another', async () => {
    await using at = await scene();
    const { digest } = at.image;
    plantReferrer(at.registry, {
      name,
      subject: at.other,
      listedFor: digest,
      signatures: [signed(claim(at))],
    });
    await assert.rejects(check(at), invalid(/refers to another image/));
    plantReferrer(at.registry, {
      name,
      subject: at.image,
      listedFor: digest,
      signatures: [signed(claim(at))],
    });
    assert.equal((await check(at)).signatures.length, 1);
  });

  test('a registry that fails while signatures are looked for does not make the image unsigned', async () => {
    await using at = await scene();
    at.registry.fault = ({ path }, response) => {
      if (!path.endsWith('.sig')) return false;
      response.writeHead(503).end();
      return true;
    };
    await assert.rejects(check(at), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
  });
});

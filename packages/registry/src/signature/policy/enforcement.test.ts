import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Descriptor, hostPlatform, parseManifest } from '@ocijs/image';
import { type FaultRegistry, serveImage, startFaultRegistry } from '../../fault-registry.testkit.ts';
import {
  makeImage,
  makeIndex,
  type TemporaryDirectory,
  type TemporaryStore,
  temporaryDirectory,
  temporaryStore,
} from '../../images.testkit.ts';
import { checkPolicy, copy, pull, pullArtifact, remoteImage } from '../../index.ts';
import { encodeClaim, layerAnnotations } from '../forms/simple-signing.ts';
import { plantTagged, testKeys } from '../signed-image.testkit.ts';

const keys = testKeys();

interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly made: TemporaryStore;
  readonly target: TemporaryStore;
  readonly directory: TemporaryDirectory;
  readonly image: Descriptor;
  readonly index: Descriptor;
  readonly name: string;
  /** Options with a policy for everything in the registry. */
  readonly options: { readonly env: { HOME: string }; readonly retry: number; readonly policy: string };
}

/** An index with the host's image, unsigned. */
async function scene(requirement: object): Promise<Scene> {
  const disposal = new AsyncDisposableStack();
  const made = disposal.use(await temporaryStore());
  const target = disposal.use(await temporaryStore());
  const directory = disposal.use(await temporaryDirectory());
  const registry = disposal.use(await startFaultRegistry());
  const image = await makeImage(made.store, { platform: hostPlatform() });
  const index = await makeIndex(made.store, [{ descriptor: image, platform: hostPlatform() }]);
  await serveImage(registry, { store: made.store, top: index, name: 'app', tag: 'v1' });
  await writeFile(join(directory.path, 'key.pub'), keys.publicKey);
  const policy = join(directory.path, 'policy.json');
  const reject = [{ type: 'reject' }];
  const transports = { docker: { [`${registry.host}/app`]: [requirement] } };
  await writeFile(policy, JSON.stringify({ default: reject, transports }));
  return {
    registry,
    made,
    target,
    directory,
    image,
    index,
    name: `${registry.host}/app:v1`,
    options: { env: { HOME: '/nonexistent' }, retry: 0, policy },
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

const sigstoreSigned = { type: 'sigstoreSigned', keyData: Buffer.from(keys.publicKey).toString('base64') };
const byRepository = { ...sigstoreSigned, signedIdentity: { type: 'matchRepository' } };

function signed({ registry, name }: Scene, digest: Descriptor['digest'], identity = name): void {
  const payload = encodeClaim({ digest, identity, annotations: {} });
  const annotations = { [layerAnnotations.signature]: keys.sign(payload).toString('base64') };
  plantTagged(registry, { name: 'app', digest, signatures: [{ payload, annotations }] });
}

/** Everything that brings content of an image from a registry. */
const entrances: readonly (readonly [string, (at: Scene) => Promise<unknown>])[] = [
  ['pull', ({ name, options, target }) => pull(name, { ...options, store: target.store })],
  [
    'remoteImage',
    async ({ name, options }) => {
      await using image = await remoteImage(name, options);
      return image.name;
    },
  ],
  ['checkPolicy', ({ name, options }) => checkPolicy(name, options)],
  [
    'copy',
    ({ name, options, target }) =>
      copy(
        { transport: 'registry', reference: name },
        { transport: 'store', store: target.store, name: 'copied' },
        options,
      ),
  ],
];
const rejected = { code: 'ERR_OCI_SIGNATURE_REJECTED' };

for (const [what, enter] of entrances) {
  describe(`the signature policy at ${what}`, () => {
    test('refuses what it rejects before anything is sent', async () => {
      await using at = await scene({ type: 'reject' });
      await assert.rejects(enter(at), rejected);
      assert.deepEqual(at.registry.requests, []);
    });

    test('refuses what it cannot check before anything is sent', async () => {
      await using at = await scene({ type: 'sigstoreSigned', fulcio: {} });
      await assert.rejects(enter(at), { code: 'ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED', message: /fulcio/ });
      assert.deepEqual(at.registry.requests, []);
    });

    test('refuses an unsigned image, and stores none of it', async () => {
      await using at = await scene(sigstoreSigned);
      await assert.rejects(enter(at), rejected);
      assert.deepEqual(await at.target.store.list(), []);
      const { layers } = parseManifest(await at.made.store.readAll(at.image));
      const asked = at.registry.requests.map(({ path }) => path).join();
      assert.ok(layers.length > 0 && layers.every(({ digest }) => !asked.includes(digest)));
    });

    test('lets in an index that is signed, or the image of it that is signed', async () => {
      for (const which of ['index', 'image'] as const) {
        await using at = await scene(sigstoreSigned);
        signed(at, at[which].digest);
        await enter(at);
      }
    });

    test('asks for the identity that it names', async () => {
      await using at = await scene(sigstoreSigned);
      signed(at, at.index.digest, at.name.replace(':v1', ''));
      await assert.rejects(enter(at), { ...rejected, message: /the signature is of/ });
      await using other = await scene(byRepository);
      signed(other, other.index.digest, other.name.replace(':v1', ''));
      await enter(other);
    });

    test('asks nothing of the registry when it accepts anything', async () => {
      await using at = await scene({ type: 'insecureAcceptAnything' });
      await enter(at);
      assert.ok(
        at.registry.requests.every(({ path }) => !path.includes('.sig') && !path.includes('referrers')),
      );
    });
  });
}

describe('the signature policy', () => {
  test('asks for all of its requirements', async () => {
    const other = testKeys();
    const both = { ...sigstoreSigned, keyData: Buffer.from(other.publicKey).toString('base64') };
    await using at = await scene(sigstoreSigned);
    const document = { default: [sigstoreSigned, both] };
    await writeFile(at.options.policy, JSON.stringify(document));
    signed(at, at.index.digest);
    await assert.rejects(pull(at.name, { ...at.options, store: at.target.store }), rejected);
  });

  test('of the user comes before that of the system, and that of the options before both', async () => {
    await using at = await scene({ type: 'reject' });
    const { policy: _policy, ...options } = at.options;
    const home = at.directory.path;
    await mkdir(join(home, '.config', 'containers'), { recursive: true });
    const file = join(home, '.config', 'containers', 'policy.json');
    await writeFile(file, JSON.stringify({ default: [{ type: 'reject' }] }));
    const request = { ...options, env: { HOME: home }, store: at.target.store };
    await assert.rejects(pull(at.name, request), { ...rejected, message: /\.config/ });
    await pull(at.name, { ...request, policy: false });
    await writeFile(file, '{');
    await assert.rejects(pull(at.name, request), { code: 'ERR_OCI_SIGNATURE_POLICY_INVALID' });
    const missing = { ...request, policy: join(home, 'missing.json') };
    await assert.rejects(pull(at.name, missing), { code: 'ERR_OCI_SIGNATURE_POLICY_INVALID' });
  });

  test('finds no signature in a registry where registries.d says that none is to be looked for', async () => {
    await using at = await scene(sigstoreSigned);
    signed(at, at.index.digest);
    const registriesDirectory = join(at.directory.path, 'registries.d');
    await mkdir(registriesDirectory);
    const request = { ...at.options, registriesDirectory, store: at.target.store };
    const say = (value: string) =>
      writeFile(
        join(registriesDirectory, 'a.yaml'),
        `docker:\n  "${at.registry.host}":\n    use-sigstore-attachments: ${value}\n`,
      );
    await say('false');
    await assert.rejects(pull(at.name, request), { ...rejected, message: /use-sigstore-attachments: false/ });
    await say('true');
    await pull(at.name, request);
  });

  test('with a key that cannot be read lets nothing in', async () => {
    await using at = await scene({ type: 'sigstoreSigned', keyPath: '/nonexistent/key.pub' });
    const request = { ...at.options, store: at.target.store };
    await assert.rejects(pull(at.name, request), { code: 'ERR_OCI_SIGNATURE_KEY_INVALID' });
  });

  test('with a key in a file lets in what that key signed', async () => {
    await using at = await scene(sigstoreSigned);
    const keyPath = join(at.directory.path, 'key.pub');
    await writeFile(at.options.policy, JSON.stringify({ default: [{ type: 'sigstoreSigned', keyPath }] }));
    signed(at, at.index.digest);
    await pull(at.name, { ...at.options, store: at.target.store });
  });

  test('holds for artifacts too', async () => {
    await using at = await scene({ type: 'reject' });
    await assert.rejects(pullArtifact(at.name, at.directory.path, at.options), rejected);
  });

  test('holds again for an image that is in the store already', async () => {
    await using at = await scene(sigstoreSigned);
    const request = { ...at.options, store: at.target.store };
    await pull(at.name, { ...request, policy: false });
    await assert.rejects(pull(at.name, request), rejected);
  });
});

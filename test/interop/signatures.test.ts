import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { buildLayer, type Descriptor, openStore, writeImage } from '@ocijs/image';
import { copy, generateKeyPair, pull, push, type SignatureForm, sign, verify } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { type CommandResult, command, output } from '../kit/command.ts';
import { dockerRegistry } from '../kit/docker-registry.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const password = 'of the key';

/** A registry with an unsigned image under two names, and a key. */
async function scene(kind: 'docker-registry' | 'oci serve') {
  const disposal = new AsyncDisposableStack();
  const temporary = disposal.use(await temporaryDirectory());
  const file = (name: string): string => join(temporary.path, name);
  const registry =
    kind === 'docker-registry'
      ? disposal.use(await dockerRegistry(temporary.path))
      : disposal.use(await startRegistry({ directory: file('served') }));
  const store = disposal.use(await openStore(file('store')));
  const body = Buffer.from('signed');
  const layer = await buildLayer([{ header: { name: 'a' }, body }], { compression: 'gzip' });
  const image: Descriptor = await writeImage(store, { layers: [layer], name: 'example.com/app:v1' });
  const name = (repository: string): string => `${registry.host}/${repository}:v1`;
  for (const repository of ['ours', 'theirs']) await push(image, name(repository), { store });
  const source = { transport: 'store', store, name: 'example.com/app:v1' } as const;
  await copy(source, { transport: 'oci', directory: file('layout'), name: 'v1' });
  const pair = await generateKeyPair({ password });
  await writeFile(file('key'), pair.privateKey, { mode: 0o600 });
  await writeFile(file('key.pub'), pair.publicKey);
  await writeFile(file('passphrase'), password);
  const env = { ...process.env, HOME: temporary.path, COSIGN_PASSWORD: password, COSIGN_EXPERIMENTAL: '1' };
  return {
    ...pair,
    host: registry.host,
    digest: image.digest,
    store,
    file,
    env,
    name,
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

type Scene = Awaited<ReturnType<typeof scene>>;

for (const kind of ['docker-registry', 'oci serve'] as const) {
  describe(`signatures in ${kind}`, () => {
    const commands = kind === 'docker-registry' ? ['docker-registry'] : [];

    describe('with skopeo', () => {
      const skip = missing({ commands: ['skopeo', ...commands] });
      test('a policy of skopeo lets in what we signed, and nothing else', { skip }, async (context) => {
        await using at = await scene(kind);
        if (await lacksSigstore(at)) return context.skip(withoutSigstore);
        await sign(at.name('ours'), { key: at.privateKey, password });
        assert.equal((await skopeoPull(at, 'ours')).status, 0);
        const refused = await skopeoPull(at, 'theirs');
        assert.notEqual(refused.status, 0);
        assert.match(refused.stderr, /signature was required, but no signature exists/);
        const other = await generateKeyPair({ password });
        await sign(at.name('theirs'), { key: other.privateKey, password });
        assert.notEqual((await skopeoPull(at, 'theirs')).status, 0);
      });

      test('what skopeo signed is verified by us, and let in by the same policy', {
        skip,
      }, async (context) => {
        await using at = await scene(kind);
        if (await lacksSigstore(at)) return context.skip(withoutSigstore);
        const { status, stderr } = await signBySkopeo(at, `docker://${at.name('theirs')}`);
        assert.equal(status, 0, stderr);
        const { signatures } = await verify(at.name('theirs'), { key: at.publicKey });
        assert.deepEqual(
          signatures.map(({ identity }) => identity),
          [at.name('theirs')],
        );
        await using target2 = await openStore(at.file('target'));
        const request = { store: target2, policy: await policyFile(at) };
        await pull(at.name('theirs'), request);
        await assert.rejects(pull(at.name('ours'), request), { code: 'ERR_OCI_SIGNATURE_REJECTED' });
      });
    });

    describe('with cosign', () => {
      const skip = missing({ commands: ['cosign', ...commands] });
      for (const form of ['tag', 'referrer', 'bundle'] as const) {
        test(`cosign verifies ours in the form ${form}, with annotations`, { skip }, async () => {
          await using at = await scene(kind);
          await sign(at.name('ours'), { key: at.privateKey, password, form, annotations: { a: 'b' } });
          const flags = ['--key', at.file('key.pub'), '--insecure-ignore-tlog=true', '-a', 'a=b'];
          const experimental = form === 'referrer' ? ['--experimental-oci11'] : [];
          await cosign(at, 'verify', ...flags, ...experimental, at.name('ours'));
          await assert.rejects(cosign(at, 'verify', ...flags, ...experimental, at.name('theirs')));
        });

        test(`we verify cosign's in the form ${form}, with annotations`, { skip }, async () => {
          await using at = await scene(kind);
          const flags = [
            '--key',
            at.file('key'),
            '--tlog-upload=false',
            '--use-signing-config=false',
            '-a',
            'a=b',
          ];
          await cosign(at, 'sign', ...flags, ...cosignForm(form), `${at.host}/theirs@${at.digest}`);
          const request = { key: at.publicKey, annotations: { a: 'b' } };
          const { signatures } = await verify(at.name('theirs'), request);
          assert.deepEqual(
            signatures.map((each) => each.form),
            [form],
          );
          await assert.rejects(verify(at.name('ours'), request), { code: 'ERR_OCI_SIGNATURE_NOT_FOUND' });
        });
      }

      test('a key that cosign generates signs and verifies', { skip }, async () => {
        await using at = await scene(kind);
        await cosign(at, 'generate-key-pair', '--output-key-prefix', at.file('cosign'));
        const key = await readFile(at.file('cosign.key'));
        await sign(at.name('ours'), { key, password });
        await verify(at.name('ours'), { key: await readFile(at.file('cosign.pub')) });
      });
    });
  });
}

function cosignForm(form: SignatureForm): readonly string[] {
  if (form === 'bundle') return ['--new-bundle-format=true'];
  return ['--new-bundle-format=false', ...(form === 'tag' ? [] : ['--registry-referrers-mode=oci-1-1'])];
}

function cosign({ env }: Scene, subcommand: string, ...args: readonly string[]): Promise<string> {
  const registry = subcommand === 'generate-key-pair' ? [] : ['--allow-insecure-registry'];
  return output('cosign', [subcommand, ...registry, ...args], { env });
}

/** The same policy for both sides: everything in the registry must be signed by the key. */
async function policyFile({ host, file }: Scene): Promise<string> {
  const requirement = { type: 'sigstoreSigned', keyPath: file('key.pub') };
  const document = { default: [{ type: 'reject' }], transports: { docker: { [host]: [requirement] } } };
  await writeFile(file('policy.json'), JSON.stringify(document));
  return file('policy.json');
}

async function skopeoPull(at: Scene, repository: string): Promise<CommandResult> {
  const policy = await policyFile(at);
  const target = `dir:${at.file(`skopeo-${repository}`)}`;
  return runSkopeo(
    at,
    ['--policy', policy],
    ['copy', '--src-tls-verify=false', `docker://${at.name(repository)}`, target],
  );
}

const withoutSigstore = 'needs a skopeo with sigstore, which Debian 12 leaves out';

/** Debian's skopeo refuses whatever has to do with sigstore, by a change of its own. */
async function lacksSigstore(at: Scene): Promise<boolean> {
  const { status, stderr } = await signBySkopeo(at, `dir:${at.file('probe')}`);
  return status !== 0 && stderr.includes('sigstore disabled');
}

/** Copies the image with a signature. */
function signBySkopeo(at: Scene, target: string): Promise<CommandResult> {
  const key = [
    '--sign-by-sigstore-private-key',
    at.file('key'),
    '--sign-passphrase-file',
    at.file('passphrase'),
  ];
  const identity = target.startsWith('dir:') ? ['--sign-identity', at.name('probe')] : [];
  const copying = ['copy', '-q', '--dest-tls-verify=false', ...key, ...identity];
  return runSkopeo(at, ['--insecure-policy'], [...copying, `oci:${at.file('layout')}:v1`, target]);
}

/** skopeo looks for such signatures only where it is told to. */
async function runSkopeo(
  { env }: Scene,
  policy: readonly string[],
  args: readonly string[],
): Promise<CommandResult> {
  await using directory = await temporaryDirectory();
  const settings = 'default-docker:\n  use-sigstore-attachments: true\n';
  await writeFile(join(directory.path, 'all.yaml'), settings);
  return await command('skopeo', [...policy, '--registries.d', directory.path, ...args], { env });
}

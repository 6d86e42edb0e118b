import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { command, output } from '../kit/command.ts';
import { oci, ociHome } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const skip = missing({ commands: ['skopeo', 'gpg', 'gpg-agent', 'gpgconf'] });

/**
 * A host as Fedora sets it up, for a registry of its own: `policy.json` asks for GPG signatures, `registries.d` says where
 * they are. One image in the registry was signed by skopeo, one by nobody.
 */
async function scene() {
  const disposal = new AsyncDisposableStack();
  const temporary = disposal.use(await temporaryDirectory());
  const file = (name: string): string => join(temporary.path, name);
  const write = async (name: string, content: string): Promise<void> => {
    await mkdir(dirname(file(name)), { recursive: true });
    await writeFile(file(name), content);
  };
  const registry = disposal.use(await startRegistry({ directory: file('served') }));
  const store = disposal.use(await openStore(file('made')));
  const layer = await buildLayer([{ header: { name: 'a' }, body: Buffer.from('signed') }], {});
  const image = await writeImage(store, { layers: [layer], name: 'example.com/app:v1' });
  const name = (repository: string): string => `${registry.host}/ubi9/${repository}:v1`;
  for (const repository of ['unsigned', 'source']) await push(image, name(repository), { store });

  const home = file('home');
  await mkdir(file('gnupg'), { mode: 0o700 });
  const env = { ...process.env, HOME: home, GNUPGHOME: file('gnupg'), XDG_CONFIG_HOME: '', CI: 'true' };
  disposal.defer(async () => {
    await output('gpgconf', ['--kill', 'all'], { env });
  });
  const gpg = ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
  await output('gpg', [...gpg, '--quick-generate-key', 'release@example.com', 'ed25519', 'sign', 'never'], {
    env,
  });
  await write('release.asc', await output('gpg', ['--armor', '--export', 'release@example.com'], { env }));
  const requirement = { type: 'signedBy', keyType: 'GPGKeys', keyPath: file('release.asc') };
  const docker = { [registry.host]: [requirement] };
  const policy = { default: [{ type: 'insecureAcceptAnything' }], transports: { docker } };
  await write('home/.config/containers/policy.json', JSON.stringify(policy));
  const place = `file://${file('sigstore')}`;
  const section = `    sigstore: ${place}\n    sigstore-staging: ${place}\n`;
  await write(
    'home/.config/containers/registries.d/registry.yaml',
    `docker:\n  "${registry.host}":\n${section}`,
  );
  const signing = [
    'copy',
    '-q',
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    '--sign-by',
    'release@example.com',
  ];
  const copied = [`docker://${name('source')}`, `docker://${name('signed')}`];
  const { status, stderr } = await command('skopeo', ['--insecure-policy', ...signing, ...copied], { env });
  const withoutGpgme = stderr.includes('containers_image_openpgp');
  if (!withoutGpgme) assert.equal(status, 0, stderr);
  return {
    name,
    file,
    env,
    digest: image.digest,
    cannotSign: withoutGpgme && 'this skopeo was built without GPGME, and cannot sign',
    oci: (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
      oci(ociHome(temporary.path), args, { env: { ...env, ...more } }),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

describe('a host whose policy asks for GPG signatures', { skip }, () => {
  test('gets what skopeo signed by pull, copy and verify, and nothing else, as skopeo does', async (context) => {
    await using at = await scene();
    if (at.cannotSign !== false) return context.skip(at.cannotSign);
    const commands = (repository: string): readonly (readonly string[])[] => [
      ['pull', '-q', at.name(repository)],
      ['copy', '-q', `docker://${at.name(repository)}`, `oci:${at.file(`copy-of-${repository}`)}:v1`],
    ];
    for (const args of commands('signed')) {
      const { status, stderr } = await at.oci(args);
      assert.equal(status, 0, stderr);
    }
    const policy = join(at.env.HOME, '.config', 'containers', 'policy.json');
    const verified = await at.oci(['verify', '--json', '--policy', policy, at.name('signed')]);
    const { digest, requirements } = JSON.parse(verified.stdout) as Record<string, unknown>;
    assert.deepEqual({ digest, requirements }, { digest: at.digest, requirements: ['signedBy'] });
    for (const args of commands('unsigned')) {
      const { status, stdout } = await at.oci([...args.filter((arg) => arg !== '-q'), '--json']);
      assert.equal(status, 1);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      assert.equal(error.code, 'ERR_OCI_SIGNATURE_REJECTED');
      assert.match(error.message, /\(signedBy\): .*ubi9\/unsigned@sha256:.* has no GPG signature in file:/);
    }
    for (const [repository, accepted] of [
      ['signed', true],
      ['unsigned', false],
    ] as const) {
      const target = `dir:${at.file(`skopeo-${repository}`)}`;
      const args = ['copy', '-q', '--src-tls-verify=false', `docker://${at.name(repository)}`, target];
      assert.equal((await command('skopeo', args, { env: at.env })).status === 0, accepted, repository);
    }
    const free = await at.oci(['pull', '-q', '--insecure-policy', at.name('unsigned')]);
    assert.equal(free.status, 0, free.stderr);
  });

  test('is told to install gpg where it is missing', async (context) => {
    await using at = await scene();
    if (at.cannotSign !== false) return context.skip(at.cannotSign);
    const { status, stdout } = await at.oci(['pull', '--json', at.name('signed')], { PATH: '/nonexistent' });
    assert.equal(status, 1);
    const { error } = JSON.parse(stdout) as { error: { code: string; hint: string } };
    assert.equal(error.code, 'ERR_OCI_SIGNATURE_GPG');
    assert.match(error.hint, /install GnuPG/);
  });
});

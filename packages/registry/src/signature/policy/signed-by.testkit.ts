import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Descriptor, hostPlatform } from '@ocijs/image';
import { type FaultRegistry, serveImage, startFaultRegistry } from '../../fault-registry.testkit.ts';
import { makeImage, makeIndex, temporaryDirectory, temporaryStore } from '../../images.testkit.ts';
import { missingCommand, type Signer, startSigner } from '../gpg/gpg.testkit.ts';

const run = promisify(execFile);

/** An index with one image in a registry, people with GPG keys, and a machine with a policy. */
export interface SignedByScene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly signer: Signer;
  /** Fingerprints. */
  readonly ann: string;
  readonly bob: string;
  readonly image: Descriptor;
  readonly index: Descriptor;
  /** The image alone. */
  readonly name: string;
  readonly indexName: string;
  /** A file of the machine, by its name. */
  file(name: string): string;
  /** What the functions of the package are given. */
  readonly options: {
    readonly env: { readonly HOME: string; readonly PATH: string | undefined };
    readonly policy: string;
    readonly registriesDirectory: string;
    readonly retry: number;
  };
  /** Writes a file of the machine, or one below the lookaside. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Removes signatures and configuration, and gives the machine those that most tests want. */
  reset(): Promise<void>;
  /** Makes the policy for everything in the registry. */
  demand(...requirements: readonly object[]): Promise<void>;
  /** Makes the only file of registries.d. */
  configure(yaml: string): Promise<void>;
  /** Puts a signature into the lookaside; position 1 unless said otherwise. */
  put(signature: Uint8Array, at?: { readonly position?: number; readonly digest?: string }): Promise<void>;
  /** The document of a right signature, with other parts as given. */
  claim(parts?: Claimed): Buffer;
  /** The same, signed by ann unless said otherwise. */
  signed(parts?: Claimed, options?: readonly string[]): Promise<Buffer>;
  /** Why skopeo's opinion is not asked for; false when it is. */
  readonly withoutSkopeo: string | false;
  /** Whether skopeo with the same policy and configuration copies the image; what it says if not. */
  skopeo(name: string): Promise<{ readonly accepted: boolean; readonly said: string }>;
}

/** Parts of a signature's document. */
export interface Claimed {
  readonly digest?: string;
  readonly identity?: string;
  readonly type?: string;
  readonly critical?: object;
  readonly optional?: unknown;
}

/** The requirement that most tests have: a signature by ann. */
export function byAnn(at: SignedByScene): {
  readonly type: string;
  readonly keyType: string;
  readonly keyPath: string;
} {
  return { type: 'signedBy', keyType: 'GPGKeys', keyPath: at.file('ann.gpg') };
}

/** Makes the scene, with skopeo's idea of a home directory. */
export async function signedByScene(): Promise<SignedByScene> {
  const disposal = new AsyncDisposableStack();
  const made = disposal.use(await temporaryStore());
  const directory = disposal.use(await temporaryDirectory());
  const registry = disposal.use(await startFaultRegistry());
  const signer = disposal.use(await startSigner());
  const [ann, bob] = [await signer.makeKey('ann@example.com'), await signer.makeKey('bob@example.com')];
  const image = await makeImage(made.store, { platform: hostPlatform() });
  const index = await makeIndex(made.store, [{ descriptor: image, platform: hostPlatform() }]);
  await serveImage(registry, { store: made.store, top: image, name: 'team/app', tag: 'v1' });
  await serveImage(registry, { store: made.store, top: index, name: 'team/app', tag: 'all' });
  const file = (name: string): string => join(directory.path, name);
  const name = `${registry.host}/team/app:v1`;
  const write: SignedByScene['write'] = async (to, content) => {
    await mkdir(dirname(file(to)), { recursive: true });
    await writeFile(file(to), content);
  };
  const policy = file('policy.json');
  const registriesDirectory = file('registries.d');
  await write('ann.gpg', await signer.publicKeys([ann]));
  await write('bob.gpg', await signer.publicKeys([bob]));
  await write('manifest', registry.manifests.get('team/app:v1')?.bytes ?? '');
  const withoutSkopeo =
    missingCommand('skopeo') ||
    (await lacksGpgme(['standalone-sign', file('manifest'), name, ann, '-o', file('sig')], signer));
  const scene: SignedByScene = {
    registry,
    signer,
    ann,
    bob,
    image,
    index,
    name,
    indexName: `${registry.host}/team/app:all`,
    file,
    write,
    withoutSkopeo,
    options: {
      env: { HOME: file('home'), PATH: process.env['PATH'] },
      policy,
      registriesDirectory,
      retry: 0,
    },
    async reset() {
      for (const each of ['lookaside', 'registries.d', 'home', 'out'])
        await rm(file(each), { recursive: true, force: true });
      registry.fault = undefined;
      registry.requests.length = 0;
      await scene.configure(`docker:\n  "${registry.host}":\n    lookaside: file://${file('lookaside')}\n`);
      await scene.demand(byAnn(scene));
    },
    async demand(...requirements) {
      const transports = { docker: { [registry.host]: requirements } };
      await write('policy.json', JSON.stringify({ default: [{ type: 'reject' }], transports }));
    },
    configure: (yaml) => write('registries.d/test.yaml', yaml),
    async put(signature, { position = 1, digest = image.digest } = {}) {
      await write(`lookaside/team/app@${digest.replace(':', '=')}/signature-${position}`, signature);
    },
    claim({ digest = image.digest, identity = name, type, critical = {}, optional = {} } = {}) {
      const own = {
        type: type ?? 'atomic container signature',
        image: { 'docker-manifest-digest': digest },
        identity: { 'docker-reference': identity },
      };
      return Buffer.from(JSON.stringify({ critical: { ...own, ...critical }, optional }));
    },
    signed: (parts, options = ['-u', ann, '--sign']) => signer.gpg(options, scene.claim(parts)),
    async skopeo(wanted) {
      const where = ['--policy', policy, '--registries.d', registriesDirectory];
      const command = ['copy', '-q', '--src-tls-verify=false', `docker://${wanted}`, `dir:${file('out')}`];
      const environment = { HOME: file('home'), PATH: process.env['PATH'], TMPDIR: directory.path };
      try {
        await run('skopeo', [...where, ...command], { env: environment });
        return { accepted: true, said: '' };
      } catch (error) {
        return { accepted: false, said: String((error as { stderr?: unknown }).stderr) };
      }
    },
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
  await scene.reset();
  return scene;
}

/** A skopeo that was built with an OpenPGP of its own cannot sign, and does not look at the expiry of keys. */
async function lacksGpgme(signing: readonly string[], signer: Signer): Promise<string | false> {
  const env = { PATH: process.env['PATH'], HOME: signer.home, GNUPGHOME: signer.home };
  try {
    await run('skopeo', signing, { env });
    return false;
  } catch (error) {
    if (String((error as { stderr?: unknown }).stderr).includes('containers_image_openpgp'))
      return 'this skopeo was built without GPGME';
    throw error;
  }
}

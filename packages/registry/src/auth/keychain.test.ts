import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OciEvent } from '@ocijs/image';
import { registryEnvironment } from '../env.ts';
import { temporaryDirectory } from '../images.testkit.ts';
import type { Credentials } from '../options.ts';
import { storeInHelper } from './helper.ts';
import { findCredentials, type KeychainRequest } from './keychain.ts';

function auths(host: string, pair: string): string {
  return JSON.stringify({ auths: { [host]: { auth: Buffer.from(pair).toString('base64') } } });
}

interface Home extends AsyncDisposable {
  readonly path: string;
  write(file: string, text: string): Promise<void>;
  find(
    registry: string,
    options?: Partial<KeychainRequest> & { env?: Record<string, string> },
  ): Promise<Credentials | undefined>;
}

async function home(): Promise<Home> {
  const directory = await temporaryDirectory();
  const { path } = directory;
  return {
    path,
    async write(file, text) {
      await mkdir(join(path, file, '..'), { recursive: true });
      await writeFile(join(path, file), text);
    },
    find(registry, { env = {}, ...options } = {}) {
      const environment = registryEnvironment({ HOME: path, PATH: `${path}/bin:/usr/bin:/bin`, ...env });
      return findCredentials({ registry, environment, ...options });
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

test('files are asked in the order of podman, then Docker', async () => {
  await using at = await home();
  const env = { XDG_RUNTIME_DIR: join(at.path, 'run') };
  assert.equal(await at.find('r.org', { env }), undefined);
  await at.write('.docker/config.json', auths('r.org', 'docker:3'));
  assert.deepEqual(await at.find('r.org', { env }), { username: 'docker', password: '3' });
  await at.write('.config/containers/auth.json', auths('r.org', 'config:2'));
  assert.deepEqual(await at.find('r.org', { env }), { username: 'config', password: '2' });
  await at.write('run/containers/auth.json', auths('r.org', 'runtime:1'));
  assert.deepEqual(await at.find('r.org', { env }), { username: 'runtime', password: '1' });
  await at.write('dc/config.json', auths('other.org', 'a:b'));
  assert.deepEqual(await at.find('other.org', { env: { DOCKER_CONFIG: join(at.path, 'dc') } }), {
    username: 'a',
    password: 'b',
  });
});

test('a named file is the only one', async () => {
  await using at = await home();
  await at.write('.docker/config.json', auths('r.org', 'docker:3'));
  await at.write('mine.json', auths('s.org', 'x:y'));
  const authFile = join(at.path, 'mine.json');
  assert.equal(await at.find('r.org', { authFile }), undefined);
  assert.equal(await at.find('r.org', { env: { REGISTRY_AUTH_FILE: authFile } }), undefined);
  assert.deepEqual(await at.find('s.org', { authFile }), { username: 'x', password: 'y' });
  await assert.rejects(at.find('r.org', { authFile: join(at.path, 'absent.json') }), /does not exist/);
});

test("a host's helper comes first, the store for everything last", async () => {
  await using at = await home();
  for (const name of ['one', 'all']) {
    const helper = join(at.path, 'bin', `docker-credential-${name}`);
    await at.write(
      `bin/docker-credential-${name}`,
      `#!/bin/sh\nread s; echo "{\\"Username\\":\\"${name}\\",\\"Secret\\":\\"$s\\"}"\n`,
    );
    await chmod(helper, 0o755);
  }
  const file = JSON.parse(auths('in-file.org', 'f:g')) as object;
  const config = { ...file, credHelpers: { 'helped.org': 'one' }, credsStore: 'all' };
  await at.write('.docker/config.json', JSON.stringify(config));
  assert.deepEqual(await at.find('helped.org'), { username: 'one', password: 'helped.org' });
  assert.deepEqual(await at.find('in-file.org'), { username: 'f', password: 'g' });
  assert.deepEqual(await at.find('docker.io'), { username: 'all', password: 'https://index.docker.io/v1/' });
});

test('credential-helpers of a registries.conf are asked in order, the files where it says so', async () => {
  await using at = await home();
  const answer = `read s; [ "$s" = docker.io ] && echo '{"Username":"h","Secret":"'$s'"}' && exit 0`;
  const missing = 'echo credentials not found in native keychain; exit 1';
  await at.write('bin/docker-credential-conf', `#!/bin/sh\n${answer}\n${missing}\n`);
  await chmod(join(at.path, 'bin', 'docker-credential-conf'), 0o755);
  await at.write('.docker/config.json', auths('in-file.org', 'f:g'));
  const conf = '.config/containers/registries.conf';
  await at.write(conf, 'credential-helpers = ["absent", "conf", "containers-auth.json"]');
  assert.deepEqual(await at.find('docker.io'), { username: 'h', password: 'docker.io' });
  assert.deepEqual(await at.find('in-file.org'), { username: 'f', password: 'g' });
  assert.equal(await at.find('other.org'), undefined);
  await at.write(conf, 'credential-helpers = ["conf"]');
  assert.equal(await at.find('in-file.org'), undefined);
  const authFile = join(at.path, '.docker/config.json');
  assert.deepEqual(await at.find('in-file.org', { authFile }), { username: 'f', password: 'g' });
  await at.write(conf, 'credential-helpers = "conf"');
  await assert.rejects(at.find('in-file.org'), { code: 'ERR_OCI_REGISTRY_CONFIG_INVALID' });
});

test('a store that is not installed is a warning, a host helper that is not is an error', async () => {
  await using at = await home();
  await at.write('.docker/config.json', '{"credHelpers":{"a.org":"absent"},"credsStore":"absent"}');
  const events: OciEvent[] = [];
  assert.equal(await at.find('b.org', { onEvent: (event) => events.push(event) }), undefined);
  assert.equal(events.length, 1);
  await assert.rejects(at.find('a.org'), { code: 'ERR_OCI_REGISTRY_CREDENTIAL_HELPER' });
});

test('a helper is asked once in a process, again after a change, and again when it had nothing', async () => {
  await using at = await home();
  const script = `#!/bin/sh
case $1 in
get) echo x >> "$HOME/count"; read s; [ -e "$HOME/empty" ] && { echo credentials not found in native keychain; exit 1; }
  echo '{"Username":"u","Secret":"'$(wc -l < "$HOME/count")'"}' ;;
*) cat > /dev/null ;;
esac
`;
  await at.write('bin/docker-credential-slow', script);
  await chmod(join(at.path, 'bin', 'docker-credential-slow'), 0o755);
  await at.write('.docker/config.json', '{"credsStore":"slow"}');
  const both = await Promise.all([at.find('a.org'), at.find('a.org')]);
  assert.deepEqual(both, [await at.find('a.org'), await at.find('a.org')]);
  assert.deepEqual(both[0], { username: 'u', password: '1' });
  const env = { HOME: at.path, PATH: `${at.path}/bin:/usr/bin:/bin` };
  await storeInHelper('slow', { server: 'a.org', env, credentials: { username: 'u', password: 'p' } });
  assert.deepEqual(await at.find('a.org'), { username: 'u', password: '2' });
  await at.write('empty', '');
  assert.equal(await at.find('b.org'), undefined);
  assert.equal(await at.find('b.org'), undefined);
  assert.equal((await readFile(join(at.path, 'count'), 'utf8')).split('\n').length - 1, 4);
});

import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isOciError, type OciEvent } from '@ocijs/image';
import { editAuthFile } from './auth/edit-auth-file.ts';
import { missingHtpasswd, startDockerRegistry } from './docker-registry.testkit.ts';
import { startFaultRegistry } from './fault-registry.testkit.ts';
import { temporaryDirectory, temporaryStore } from './images.testkit.ts';
import { createRegistryClient, login, logout, type RegistryOptions } from './index.ts';
import { type RegistryAuth, startRegistry } from './server/index.ts';

const user = { username: 'ann', password: 's3cret-päss' };

interface Home extends AsyncDisposable {
  readonly path: string;
  readonly options: RegistryOptions & { readonly env: Record<string, string> };
  readonly docker: string;
  write(file: string, text: string): Promise<string>;
  read(file: string): Promise<Record<string, unknown>>;
  helper(name: string, script: string): Promise<void>;
}

async function home(env: Record<string, string> = {}): Promise<Home> {
  const directory = await temporaryDirectory();
  const { path } = directory;
  const write = async (file: string, text: string): Promise<string> => {
    await mkdir(join(path, file, '..'), { recursive: true });
    await writeFile(join(path, file), text);
    return join(path, file);
  };
  return {
    path,
    docker: join(path, '.docker/config.json'),
    options: { env: { HOME: path, PATH: `${path}/bin:/usr/bin:/bin`, ...env }, retry: 0 },
    write,
    read: async (file) => JSON.parse(await readFile(join(path, file), 'utf8')) as Record<string, unknown>,
    helper: async (name, script) => {
      await chmod(await write(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755);
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

interface Served extends AsyncDisposable {
  readonly host: string;
}

async function serve(auth: RegistryAuth | undefined): Promise<Served> {
  const served = await temporaryStore();
  const registry = await startRegistry({ store: served.store, ...(auth === undefined ? {} : { auth }) });
  return {
    host: registry.host,
    async [Symbol.asyncDispose]() {
      await registry.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

async function ping(host: string, options: RegistryOptions): Promise<void> {
  await using client = createRegistryClient(host, options);
  await client.ping();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('login', () => {
  for (const type of ['basic', 'bearer'] as const) {
    test(`writes what later requests find (${type}), and logout removes it`, async () => {
      await using at = await home();
      await using registry = await serve({ type, ...user });
      const report = await login(registry.host, { ...at.options, credentials: user });
      assert.deepEqual(report, {
        registry: registry.host,
        username: 'ann',
        path: at.docker,
        helper: undefined,
        verified: true,
      });
      const auth = base64(`ann:${user.password}`);
      assert.deepEqual(await at.read('.docker/config.json'), { auths: { [registry.host]: { auth } } });
      assert.equal((await stat(at.docker)).mode & 0o777, 0o600);
      assert.equal((await stat(join(at.docker, '..'))).mode & 0o777, 0o700);
      await ping(registry.host, at.options);

      const { removed } = await logout(registry.host, at.options);
      assert.deepEqual(removed, [{ path: at.docker, helper: undefined }]);
      await assert.rejects(ping(registry.host, at.options), { code: 'ERR_OCI_REGISTRY_UNAUTHORIZED' });
      assert.deepEqual((await logout(registry.host, at.options)).removed, []);
    });

    test(`refused credentials are written nowhere (${type}) and shown nowhere`, async () => {
      await using at = await home();
      await using registry = await serve({ type, username: 'ann', password: 'right' });
      await assert.rejects(login(registry.host, { ...at.options, credentials: user }), (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAUTHORIZED'));
        assert.doesNotMatch(
          JSON.stringify([error.message, error.facts, error.hint, String(error.cause)]),
          /s3cret/,
        );
        return true;
      });
      assert.deepEqual(await readdir(at.path), []);
    });
  }

  test('a real docker-registry', { skip: missingHtpasswd }, async () => {
    await using at = await home();
    await using registry = await startDockerRegistry({ user });
    await assert.rejects(login(registry.host, { ...at.options, credentials: { ...user, password: 'no' } }), {
      code: 'ERR_OCI_REGISTRY_UNAUTHORIZED',
    });
    await login(registry.host, { ...at.options, credentials: user });
    await ping(registry.host, at.options);
  });

  test('a registry that asks for nothing cannot verify anything', async () => {
    await using at = await home();
    await using registry = await serve(undefined);
    const events: OciEvent[] = [];
    const onEvent = (event: OciEvent): number => events.push(event);
    const report = await login(registry.host, { ...at.options, credentials: user, onEvent });
    assert.equal(report.verified, false);
    assert.deepEqual(
      events.map((event) => event.type === 'warning' && event.code),
      ['LOGIN_NOT_VERIFIED'],
    );
  });

  test('the password goes to no server that the registry sends us to', async () => {
    await using at = await home();
    const seen: unknown[] = [];
    await using elsewhere = await startFaultRegistry(({ headers }) => {
      seen.push(headers['authorization']);
      return false;
    });
    await using registry = await startFaultRegistry((_request, response) => {
      response.writeHead(307, { location: `http://${elsewhere.host}/v2/` }).end();
      return true;
    });
    await login(registry.host, { ...at.options, credentials: user }).catch(() => undefined);
    assert.ok(seen.every((value) => value === undefined));
    assert.doesNotMatch(JSON.stringify(registry.requests), /Basic/);
  });

  for (const credentials of [
    { username: '', password: 'x' },
    { username: 'a:b', password: 's3cret' },
    { username: 'a', password: '' },
    { identityToken: '' },
  ]) {
    test(`${JSON.stringify(Object.keys(credentials))} that nothing can be done with are refused`, async () => {
      await assert.rejects(login('r.invalid', { env: {}, credentials }), {
        code: 'ERR_OCI_REGISTRY_CREDENTIALS_INVALID',
      });
    });
  }

  for (const name of [
    'user:s3cret@r.example.com',
    'https://user:s3cret@r.example.com',
    'r.example.com/UPPER',
    '',
  ]) {
    test(`${JSON.stringify(name)} is no registry`, async () => {
      await assert.rejects(login(name, { env: {}, credentials: user }), (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_REFERENCE_INVALID'));
        assert.doesNotMatch(error.message, /s3cret/);
        return true;
      });
    });
  }
});

describe('the file', () => {
  test('keeps what it does not understand, and other registries', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    const before = {
      auths: {
        'other.org': { auth: base64('o:p'), email: 'x' },
        [`https://${registry.host}/v1/`]: { auth: base64('old:old') },
      },
      HttpHeaders: { 'X-Meta': 'yes' },
      proxies: { default: { httpProxy: 'http://p' } },
      __proto__x: 1,
    };
    await at.write('.docker/config.json', JSON.stringify(before));
    await login(registry.host, { ...at.options, credentials: user });
    assert.deepEqual(await at.read('.docker/config.json'), {
      ...before,
      auths: {
        'other.org': before.auths['other.org'],
        [registry.host]: { auth: base64(`ann:${user.password}`) },
      },
    });
    await logout(registry.host, at.options);
    assert.deepEqual(await at.read('.docker/config.json'), {
      ...before,
      auths: { 'other.org': before.auths['other.org'] },
    });
  });

  test("is podman's when that exists, since it is read first", async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    const path = await at.write('.config/containers/auth.json', '{}');
    await at.write('.docker/config.json', '{}');
    assert.equal((await login(registry.host, { ...at.options, credentials: user })).path, path);
    assert.deepEqual(await at.read('.docker/config.json'), {});
  });

  test('is the named one, made when it is missing', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    const authFile = join(at.path, 'new/auth.json');
    await login(registry.host, { ...at.options, credentials: user, authFile });
    await ping(registry.host, { ...at.options, authFile });
    const other = await home({ REGISTRY_AUTH_FILE: authFile });
    assert.deepEqual((await logout(registry.host, other.options)).removed, [
      { path: authFile, helper: undefined },
    ]);
    await other[Symbol.asyncDispose]();
  });

  test('stays a symbolic link, and becomes private', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    const real = await at.write('dotfiles/docker.json', '{}');
    await chmod(real, 0o644);
    await mkdir(join(at.path, '.docker'));
    await symlink(real, at.docker);
    await login(registry.host, { ...at.options, credentials: user });
    assert.ok((await lstat(at.docker)).isSymbolicLink());
    assert.equal((await stat(real)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(at.path, 'dotfiles')), ['docker.json']);
  });

  test('loses no entry to twelve edits at once, and a lock whose owner died is taken over', async () => {
    await using at = await home();
    const names = Array.from({ length: 12 }, (_, index) => `r${index}.org`);
    const lock = await at.write('.docker/.config.json.oci-lock', '');
    await utimes(lock, 1, 1);
    await at.write('.docker/config.json', '{"auths":{"kept.org":{}}}');
    await Promise.all(names.map((name) => editAuthFile(at.docker, { name, entry: user })));
    const { auths } = await at.read('.docker/config.json');
    assert.deepEqual(Object.keys(auths as object).sort(), ['kept.org', ...names].sort());
    assert.deepEqual(await readdir(join(at.path, '.docker')), ['config.json']);
  });

  test('that is damaged is neither used nor quoted nor overwritten', async () => {
    await using at = await home();
    await using registry = await startFaultRegistry();
    const text = '{"auths": {"a.org": {"auth": s3cret';
    await at.write('.docker/config.json', text);
    await assert.rejects(login(registry.host, { ...at.options, credentials: user }), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CREDENTIALS_INVALID'));
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
    assert.equal(await readFile(at.docker, 'utf8'), text);
    assert.equal(registry.requests.length, 0);
  });

  test('has Docker Hub under the key that its tool looks for', async () => {
    await using at = await home();
    const auth = await at.write('auth.json', '{}');
    const docker = await at.write('.docker/config.json', '{"auths":{"index.docker.io":{"auth":"eDp5"}}}');
    for (const path of [auth, docker])
      await editAuthFile(path, { name: 'docker.io', entry: { identityToken: 't' } });
    const entry = { auth: base64('<token>:'), identitytoken: 't' };
    assert.deepEqual(await at.read('auth.json'), { auths: { 'docker.io': entry } });
    assert.deepEqual(await at.read('.docker/config.json'), {
      auths: { 'https://index.docker.io/v1/': entry },
    });
  });

  test('of Docker never gets an entry for a namespace', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    const name = `${registry.host}/team`;
    await at.write('.docker/config.json', '{}');
    const report = await login(name, { ...at.options, credentials: user });
    assert.equal(report.path, join(at.path, '.config/containers/auth.json'));
    assert.deepEqual(Object.keys((await at.read('.config/containers/auth.json'))['auths'] as object), [name]);
    await assert.rejects(login(name, { ...at.options, credentials: user, authFile: at.docker }), {
      code: 'ERR_OCI_REGISTRY_CREDENTIALS_INVALID',
    });
    assert.deepEqual((await logout(registry.host, at.options)).removed, []);
    assert.equal((await logout(name, at.options)).removed.length, 1);
  });
});

describe('a credential helper', () => {
  const keeper = `dir=$(dirname "$0"); input=$(cat)
tr '\\0' ' ' < /proc/$$/cmdline >> "$dir/arguments"
case $1 in
  store) printf '%s' "$input" > "$dir/kept" ;;
  get) if [ -f "$dir/kept" ]; then cat "$dir/kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) printf '%s' "$input" > "$dir/erased"; rm "$dir/kept" ;;
esac`;

  for (const kind of ['credsStore', 'credHelpers'] as const) {
    test(`named by ${kind} gets the secret on its standard input, and the file does not`, async () => {
      await using at = await home();
      await using registry = await serve({ type: 'bearer', ...user });
      await at.helper('keeper', keeper);
      const setting = kind === 'credsStore' ? 'keeper' : { [registry.host]: 'keeper' };
      const config = { [kind]: setting, auths: { [registry.host]: { auth: base64('old:plain') } } };
      await at.write('.docker/config.json', JSON.stringify(config));
      const report = await login(registry.host, { ...at.options, credentials: user });
      assert.equal(report.helper, 'keeper');
      assert.deepEqual(await at.read('.docker/config.json'), {
        [kind]: setting,
        auths: { [registry.host]: {} },
      });
      assert.deepEqual(await at.read('bin/kept'), {
        ServerURL: registry.host,
        Username: 'ann',
        Secret: user.password,
      });
      await ping(registry.host, at.options);
      assert.equal((await logout(registry.host, at.options)).removed[0]?.helper, 'keeper');
      assert.equal(await readFile(join(at.path, 'bin/erased'), 'utf8'), registry.host);
      assert.deepEqual(await at.read('.docker/config.json'), { [kind]: setting, auths: {} });
      const seen = await readFile(join(at.path, 'bin/arguments'), 'utf8');
      assert.match(seen, /store/);
      assert.doesNotMatch(seen, /s3cret/);
    });
  }

  test('that a registries.conf puts first has all, and the files nothing', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'bearer', ...user });
    await at.helper('keeper', keeper);
    const conf = (...names: readonly string[]) =>
      at.write('.config/containers/registries.conf', `credential-helpers = ${JSON.stringify(names)}`);
    await conf('keeper', 'containers-auth.json');
    const report = await login(registry.host, { ...at.options, credentials: user });
    assert.deepEqual([report.helper, report.path], ['keeper', undefined]);
    await assert.rejects(readFile(at.docker), { code: 'ENOENT' });
    await ping(registry.host, at.options);
    const named = await login(`${registry.host}/team`, { ...at.options, credentials: user });
    assert.equal(named.helper, undefined, 'a helper knows no namespaces');
    const { removed } = await logout(registry.host, at.options);
    assert.deepEqual(removed, [{ path: undefined, helper: 'keeper' }]);
    await conf('containers-auth.json', 'keeper');
    assert.equal((await login(registry.host, { ...at.options, credentials: user })).helper, undefined);
  });

  test('that fails leaves the file as it was, and its message holds no secret', async () => {
    await using at = await home();
    await using registry = await serve({ type: 'basic', ...user });
    await at.helper('broken', 'cat; echo; echo "no space for $1"; exit 1');
    const text = '{"credsStore":"broken"}';
    await at.write('.docker/config.json', text);
    await assert.rejects(login(registry.host, { ...at.options, credentials: user }), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CREDENTIAL_HELPER'));
      assert.doesNotMatch(error.message, /s3cret/);
      return true;
    });
    assert.equal(await readFile(at.docker, 'utf8'), text);
  });

  test('for everything that is not installed does not keep anybody from logging out', async () => {
    await using at = await home();
    await at.write('.docker/config.json', '{"credsStore":"absent","auths":{"a.org":{"auth":"YTpi"}}}');
    assert.equal((await logout('a.org', at.options)).removed.length, 1);
  });
});

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { registryEnvironment } from '../env.ts';
import { temporaryDirectory } from '../images.testkit.ts';
import { loadHosts } from './hosts-directory.ts';
import { parseHostsToml } from './hosts-toml.ts';

const file = { path: '/c/r.org/hosts.toml', directory: '/c/r.org' };

test('hosts come in their order, the server last, with what is said of each', () => {
  const { hosts, server } = parseHostsToml(
    `server = "https://registry.example.com"
capabilities = ["pull", "resolve"]

[host."https://mirror.example.com/proxy"]
  capabilities = ["Pull"]
  ca = "ca.pem"
  client = [["client.cert", "/keys/client.key"], "both.pem"]
  skip_verify = true
  dial_timeout = "1m30s500ms"
  [host."https://mirror.example.com/proxy".header]
    X-Custom = ["a", "b"]
    x-one = "1"

[host."http://10.0.0.1:5000/api/"]
  override_path = true
  ca = ["/etc/a.pem", "b.pem"]

[host."localhost:5000"]
[host."other.example.com/v2"]
`,
    file,
  );
  assert.deepEqual(
    hosts.map(({ url }) => url.href),
    [
      'https://mirror.example.com/proxy/v2',
      'http://10.0.0.1:5000/api',
      'http://localhost:5000/v2',
      'https://other.example.com/v2',
    ],
  );
  const [mirror, address] = hosts;
  assert.deepEqual([...(mirror?.capabilities ?? [])], ['pull']);
  assert.deepEqual(mirror?.authorities, ['/c/r.org/ca.pem']);
  assert.deepEqual(mirror?.clients, [
    { cert: '/c/r.org/client.cert', key: '/keys/client.key' },
    { cert: '/c/r.org/both.pem', key: '/c/r.org/both.pem' },
  ]);
  assert.equal(mirror?.skipVerify, true);
  assert.equal(mirror?.dialTimeoutMs, 90_500);
  assert.deepEqual(mirror?.headers, { 'x-custom': ['a', 'b'], 'x-one': ['1'] });
  assert.deepEqual(address?.authorities, ['/etc/a.pem', '/c/r.org/b.pem']);
  assert.deepEqual([...(address?.capabilities ?? [])], ['pull', 'resolve', 'push']);
  assert.equal(server.url?.href, 'https://registry.example.com/v2');
  assert.deepEqual([...server.capabilities], ['pull', 'resolve']);
});

test('without a server the registry itself is one', () => {
  assert.equal(parseHostsToml('skip_verify = true', file).server.url, undefined);
  assert.equal(parseHostsToml('server = ""', file).server.url, undefined);
});

test('what cannot be meant is refused, naming file and host but no header value', () => {
  const rows = [
    'capabilities = ["delete"]',
    'server = 5',
    'server = "ftp://a.org"',
    'server = "https://user:secret@a.org"',
    'server = "https://a.org?x=1"',
    '[host."https://a.org"]\nca = 5',
    '[host."https://a.org"]\nclient = [["a", "b", "c"]]',
    '[host."https://a.org"]\nskip_verify = "yes"',
    '[host."https://a.org"]\noverride_path = 1',
    '[host."https://a.org"]\ndial_timeout = "soon"',
    '[host."https://a.org".header]\nHost = "b.org"',
    '[host."https://a.org".header]\n"X Y" = "b"',
    '[host."https://a.org".header]\nx = "secret\\nsecret"',
    'host = 3',
  ];
  for (const text of rows) {
    assert.throws(
      () => parseHostsToml(text, file),
      (error) =>
        isOciError(error, 'ERR_OCI_REGISTRY_CONFIG_INVALID') &&
        error.message.includes(file.path) &&
        !error.message.includes('secret'),
      text,
    );
  }
});

test('the directory of the port comes first, then of the host, then the default', async () => {
  await using at = await temporaryDirectory();
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(join(at.path, 'certs.d', name), { recursive: true });
    await writeFile(join(at.path, 'certs.d', name, 'hosts.toml'), text);
  };
  const environment = registryEnvironment({ HOME: at.path, OCI_HOSTS_DIR: join(at.path, 'certs.d') });
  const server = async (registry: string): Promise<string | undefined> =>
    (await loadHosts(registry, { environment }))?.server.url?.host;
  assert.equal(await server('r.org:5000'), undefined);
  await write('_default', 'server = "https://default.org"');
  assert.equal(await server('r.org:5000'), 'default.org');
  await write('r.org:5000', 'server = "https://colon.org"');
  assert.equal(await server('r.org:5000'), 'colon.org');
  await write('r.org_5000_', 'server = "https://underscore.org"');
  assert.equal(await server('r.org:5000'), 'underscore.org');
  assert.equal(await server('r.org'), 'default.org');
  assert.equal(await loadHosts('r.org', { environment, hostsDirectory: false }), undefined);
  await mkdir(join(at.path, 'certs.d', 'plain.org'));
  const plain = await loadHosts('plain.org', { environment });
  assert.equal(plain?.server.certificateDirectory, join(at.path, 'certs.d', 'plain.org'));
});

test('the directories of the user and of the system are asked when none is named', () => {
  const { hostsDirectory, hostsDirectories } = registryEnvironment({ HOME: '/home/ann' });
  assert.equal(hostsDirectory, undefined);
  assert.deepEqual(hostsDirectories, ['/home/ann/.config/containerd/certs.d', '/etc/containerd/certs.d']);
});

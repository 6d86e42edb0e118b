import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readImageTree, writeTar } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import type { ContextImage } from '../executor/types.ts';
import { gitDaemon } from '../testing/git-daemon.ts';
import { type Scene, scene } from '../testing/scene.ts';
import type { BuildContext } from './context.ts';
import { openRemoteContext, type RemoteContext, readContextDockerfile } from './remote-context.ts';

async function tar(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, text]) =>
    text.startsWith('-> ')
      ? { header: { name, type: 'symlink' as const, linkname: text.slice(3) } }
      : { header: { name, size: text.length }, body: Buffer.from(text) },
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function opened(at: Scene, location: string, input?: Uint8Array): Promise<RemoteContext> {
  const options = { store: at.store, ...(input === undefined ? {} : { input: stream(input) }) };
  const found = await openRemoteContext(location, options);
  assert.ok(found, location);
  return found;
}

async function builtFiles(at: Scene, remote: RemoteContext): Promise<readonly string[]> {
  const { context, dockerfile = readContextDockerfile(context) } = remote;
  const { image } = await at.build(dockerfile, { context });
  const root = await readImageTree(image);
  return [...(root.children?.keys() ?? [])].sort();
}

test('a git repository: a directory of a branch, and its ignore file', async () => {
  await using at = await scene();
  await using git = await gitDaemon(at.directory, {
    'sub/Dockerfile': 'FROM scratch\nCOPY . /',
    'sub/.dockerignore': 'Dockerfile\n.dockerignore',
    'sub/out': '-> /etc/passwd',
    escape: '-> ../../../..',
  });
  await using remote = await opened(at, `${git.url}#main:sub`);
  assert.deepEqual(await builtFiles(at, remote), ['file', 'out']);
  assert.deepEqual(remote.context.source, {
    type: 'git',
    name: `${git.url}#main:sub`,
    digest: git.commit,
  });
  await assert.rejects(opened(at, `${git.url}#main:sub/file`), (error) =>
    isOciError(error, 'ERR_OCI_BUILD_CONTEXT_INVALID'),
  );
  // A link that leads out of the repository leads to its root.
  await using escaped = await opened(at, `${git.url}#main:escape`);
  assert.ok(escaped.context.tree.resolve('sub/file', { followLast: false }).file);
});

test('a commit that is no branch', async () => {
  await using at = await scene();
  await using git = await gitDaemon(at.directory);
  await using remote = await opened(at, `${git.url}#${git.commit}`);
  assert.equal(remote.context.source?.digest, git.commit);
});

test('an archive or a Dockerfile on standard input', async () => {
  await using at = await scene();
  const archive = await tar({
    Dockerfile: 'FROM scratch\nCOPY a up /x/',
    a: 'a',
    up: '-> ../../../etc/hostname',
  });
  for (const bytes of [archive, gzipSync(archive)]) {
    await using remote = await opened(at, '-', bytes);
    assert.equal(remote.dockerfile, undefined);
    await assert.rejects(builtFiles(at, remote), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_SOURCE_NOT_FOUND'),
    );
    const { context } = remote;
    const { image } = await at.build('FROM scratch\nCOPY a /x/', { context });
    assert.ok((await readImageTree(image)).children?.get('x'));
  }
  await using text = await opened(at, '-', Buffer.from('FROM scratch\nCOPY <<a /a\ntext\na\n'));
  assert.deepEqual(await builtFiles(at, text), ['a']);
  await assert.rejects(opened(at, '-', await tar({ '.wh.a': '' })), (error) =>
    isOciError(error, 'ERR_OCI_BUILD_ARCHIVE_INVALID'),
  );
});

test('an archive or a Dockerfile from a server, which is told who asks', async () => {
  const archive = await tar({ Dockerfile: 'FROM scratch\nCOPY a /', a: 'a' });
  const headers: (string | undefined)[] = [];
  const http = createServer(({ url, headers: { authorization } }, response) => {
    headers.push(authorization);
    if (url === '/moved') response.writeHead(302, { location: '/Dockerfile' }).end();
    else response.end(url === '/Dockerfile' ? 'FROM scratch\nADD <<b /b\ntext\nb\n' : archive);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  try {
    await using at = await scene();
    {
      await using remote = await opened(at, `http://me:pass%20word@127.0.0.1:${port}/context.tgz`);
      assert.deepEqual(await builtFiles(at, remote), ['a']);
      assert.match(remote.context.source?.digest ?? '', /^sha256:/);
    }
    const secrets = new Map([[`HTTP_AUTH_TOKEN_127.0.0.1:${port}`, Buffer.from('token\n')]]);
    await using remote = await openRemoteContext(`http://127.0.0.1:${port}/moved`, {
      store: at.store,
      secrets,
    });
    assert.ok(remote);
    assert.deepEqual(await builtFiles(at, remote), ['b']);
    const basic = `Basic ${Buffer.from('me:pass word').toString('base64')}`;
    assert.deepEqual(headers, [basic, 'Bearer token', 'Bearer token']);
  } finally {
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  }
});

test('contexts by name: files and images in the place of stages and images', async () => {
  await using at = await scene({ a: 'a' });
  const { descriptor } = await at.build('FROM scratch\nCOPY a /from-image');
  await at.store.tag('docker.io/library/made:1', descriptor);
  const contexts = new Map<string, BuildContext | ContextImage>([
    ['files', at.context],
    ['docker.io/library/alpine', { image: 'docker.io/library/made:1' }],
    ['stage', { image: 'docker.io/library/made:1' }],
  ]);
  const { image, sources } = await at.build(
    [
      'FROM missing AS stage',
      'FROM files',
      'COPY --from=alpine:latest /from-image /1',
      'COPY --from=stage /from-image /2',
    ].join('\n'),
    { contexts },
  );
  assert.deepEqual([...((await readImageTree(image)).children?.keys() ?? [])].sort(), ['1', '2', 'a']);
  assert.deepEqual(
    sources.map(({ name, digest }) => [name, digest]),
    [['docker.io/library/made:1', descriptor.digest]],
  );
});

test('what is no address is a directory of this host', async () => {
  await using at = await scene();
  assert.equal(await openRemoteContext('/somewhere', { store: at.store }), undefined);
});

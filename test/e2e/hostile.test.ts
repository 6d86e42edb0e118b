import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { buildLayer, MediaType, openStore, writeImage } from '@ocijs/image';
import { oci, ociHome } from '../kit/oci.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';

type Content = { type: string; body: Buffer };
type Lie = (response: ServerResponse, content: Content) => boolean;

describe('a registry that lies', { timeout: 120_000 }, () => {
  const blobs = new Map<string, Content>();
  let server: Server;
  let host: string;
  let temporary: TemporaryDirectory;
  let lie: { path: RegExp; tell: Lie } | undefined;
  let layer: string;
  let manifest: string;

  before(async () => {
    temporary = await temporaryDirectory();
    const tar = await buildLayer(
      [
        {
          header: { name: 'file', type: 'file', mode: 0o644, size: 70_000 },
          body: Buffer.alloc(70_000, 'x'),
        },
      ],
      {
        compression: 'none',
      },
    );
    const bytes = Buffer.from(tar.bytes);
    const config = {
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digestOf(bytes)] },
    };
    const descriptor = (type: string, body: Buffer) => {
      blobs.set(digestOf(body), { type, body });
      return { mediaType: type, digest: digestOf(body), size: body.length };
    };
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      config: descriptor(MediaType.config, Buffer.from(JSON.stringify(config))),
      layers: [descriptor(MediaType.layer, bytes)],
    });
    layer = digestOf(bytes);
    manifest = descriptor(MediaType.manifest, Buffer.from(text)).digest;
    server = createServer(({ url = '', method }, response) => {
      const name = url.split('/').at(-1) ?? '';
      const content = blobs.get(name === 'latest' ? manifest : name);
      if (url === '/v2/') return void response.end();
      if (content === undefined) return void response.writeHead(404).end();
      if (method === 'GET' && lie?.path.test(url) && lie.tell(response, content)) return;
      response.writeHead(200, { 'content-type': content.type, 'content-length': content.body.length });
      response.end(method === 'HEAD' ? undefined : content.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  beforeEach(() => {
    lie = undefined;
  });

  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await temporary?.[Symbol.asyncDispose]();
  });

  const corrupt: Lie = (response, { type, body }) => {
    const changed = Buffer.from(body);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    response.writeHead(200, { 'content-type': type }).end(changed);
    return true;
  };
  const cutShort: Lie = (response, { type, body }) => {
    response.writeHead(200, { 'content-type': type }).end(body.subarray(0, body.length - 10));
    return true;
  };
  const makeLonger: Lie = (response, { type, body }) => {
    response.writeHead(200, { 'content-type': type }).end(Buffer.concat([body, Buffer.alloc(10)]));
    return true;
  };
  const hangUp: Lie = (response, { type, body }) => {
    response.writeHead(200, { 'content-type': type, 'content-length': body.length });
    response.write(body.subarray(0, body.length >> 1));
    setTimeout(() => response.destroy(), 20);
    return true;
  };

  const cases: [string, () => RegExp, Lie, RegExp][] = [
    ['flips a byte of a layer', () => new RegExp(layer), corrupt, /ERR_OCI_DIGEST_MISMATCH/],
    ['sends too few bytes of a layer', () => new RegExp(layer), cutShort, /ERR_OCI_SIZE_MISMATCH/],
    ['sends too many bytes of a layer', () => new RegExp(layer), makeLonger, /ERR_OCI_SIZE_MISMATCH/],
    [
      'hangs up in the middle of a layer',
      () => new RegExp(layer),
      hangUp,
      /ERR_OCI_(SIZE_MISMATCH|REGISTRY_\w+)/,
    ],
    [
      'changes a manifest that was asked for by digest',
      () => /manifests\/sha256/,
      corrupt,
      /ERR_OCI_DIGEST_MISMATCH/,
    ],
  ];
  for (const [what, path, tell, code] of cases) {
    test(`and ${what}: a coded error, exit 1, the store as it was`, async () => {
      const home = ociHome(`${temporary.path}/${what.replaceAll(' ', '-')}`);
      lie = { path: path(), tell };
      const reference = `${host}/app${what.includes('digest') ? `@${manifest}` : ':latest'}`;
      const result = await oci(home, ['pull', '--json', '--retry', '1', reference]);
      assert.equal(result.status, 1, result.stdout);
      const { error } = JSON.parse(result.stdout);
      assert.match(error.code, code);
      assert.ok(error.message.length > 10 && !error.message.includes('\n'));
      assert.deepEqual(JSON.parse((await oci(home, ['images', '--json'])).stdout), []);
      assert.ok(
        !existsSync(`${home.store}/blobs/${layer.replace(':', '/')}`) || !path().source.includes(layer),
      );
      lie = undefined;
      assert.equal(
        (await oci(home, ['pull', reference])).status,
        0,
        'and once the registry is honest, it works',
      );
    });
  }

  test('and the store that was damaged afterwards does not unpack', async () => {
    const home = ociHome(`${temporary.path}/damaged`);
    assert.equal((await oci(home, ['pull', `${host}/app`])).status, 0);
    const path = `${home.store}/blobs/${layer.replace(':', '/')}`;
    const bytes = await readFile(path);
    bytes[600] = (bytes[600] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const result = await oci(home, ['unpack', '--json', `${host}/app`, `${temporary.path}/damaged-bundle`]);
    assert.equal(result.status, 1);
    assert.equal(JSON.parse(result.stdout).error.code, 'ERR_OCI_DIGEST_MISMATCH');
    assert.ok(!existsSync(`${temporary.path}/damaged-bundle`), 'nothing is left behind');
    assert.deepEqual(
      (await readdir(temporary.path)).filter((name) => name.startsWith('.')),
      [],
    );
  });
});

describe('layers that try to leave the rootfs', { timeout: 120_000 }, () => {
  const attacks = {
    'a name with ..': [{ name: '../../../../canary/x', type: 'file', mode: 0o644, size: 0 }],
    'a write through an absolute symlink': [
      { name: 'out', type: 'symlink', linkname: 'CANARY', mode: 0o777 },
      { name: 'out/x', type: 'file', mode: 0o644, size: 0 },
    ],
    'a write through a relative symlink': [
      { name: 'out', type: 'symlink', linkname: '../../canary', mode: 0o777 },
      { name: 'out/x', type: 'file', mode: 0o644, size: 0 },
    ],
    'a whiteout of ..': [{ name: 'a/.wh...', type: 'file', mode: 0o644, size: 0 }],
    'a hard link to a file outside': [
      { name: 'x', type: 'link', linkname: '../../canary/precious', mode: 0o644 },
    ],
  } as const;

  for (const [what, headers] of Object.entries(attacks)) {
    test(`${what} touches nothing outside`, async () => {
      await using temporary = await temporaryDirectory();
      const canary = `${temporary.path}/canary`;
      await mkdir(canary);
      await writeFile(`${canary}/precious`, 'untouched');
      const home = ociHome(temporary.path);
      await using store = await openStore(home.store);
      const entries = headers.map((header) => ({
        header:
          'linkname' in header ? { ...header, linkname: header.linkname.replace('CANARY', canary) } : header,
      }));
      const attack = await buildLayer(entries, { compression: 'gzip' });
      const platform = { os: 'linux', architecture: 'amd64' };
      await writeImage(store, { name: 'example.test/attack:latest', layers: [attack], platform, config: {} });
      const target = `${temporary.path}/bundle`;
      const result = await oci(home, ['unpack', '--platform', 'linux/amd64', 'example.test/attack', target]);
      assert.ok(result.status === 0 || result.status === 1, result.stderr);
      assert.doesNotMatch(result.stderr, /\n\s+at /);
      assert.deepEqual(await readdir(canary), ['precious']);
      assert.equal(await readFile(`${canary}/precious`, 'utf8'), 'untouched');
      if (result.status === 1) assert.ok(!existsSync(target), 'a failed unpack leaves nothing');
    });
  }
});

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

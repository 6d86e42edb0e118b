/** Attack 26: credentials that get to the wrong host, or into logs and provenance (CVE-2021-41092, CVE-2023-26054). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { detectCompression } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { makeArena, skip } from './arena.ts';

interface Server extends AsyncDisposable {
  readonly host: string;
  readonly requests: IncomingMessage[];
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Every file below a directory, and what is in those that are compressed. */
async function* contents(directory: string): AsyncGenerator<readonly [string, Buffer]> {
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    if (!(await stat(path)).isFile()) continue;
    const bytes = await readFile(path);
    yield [name, bytes];
    if (detectCompression(bytes.subarray(0, 16)) === 'gzip') yield [`inside ${name}`, gunzipSync(bytes)];
  }
}

describe('attack 26', { skip }, () => {
  test('no credential is in a layer, history, key, statement, lock or log, nor anywhere else that a build leaves', async () => {
    await using at = await makeArena();
    await using server = await serve((_request, response) => response.end('file'));
    const canaries = ['file', 'variable', 'url', 'header', 'token', 'registry'].map(
      (name) => `canary-of-${name}-7d1f`,
    );
    const [inFile = '', inVariable = '', inUrl = '', inHeader = '', inToken = '', ofRegistry = ''] = canaries;
    await using registry = await startRegistry({
      directory: join(at.directory, 'registry'),
      auth: { type: 'basic', username: 'me', password: ofRegistry },
    });
    const secret = async (id: string, value: string): Promise<readonly string[]> => {
      const file = join(at.directory, `secret-${id.replaceAll(/\W/g, '-')}`);
      await writeFile(file, value);
      return ['--secret', `id=${id},src=${file}`];
    };
    const out = join(at.directory, 'out');
    const { status, stdout, stderr } = await at.build(
      [
        'FROM busybox',
        'RUN --mount=type=secret,id=one test -n "$(cat /run/secrets/one)" && echo used',
        'RUN --mount=type=secret,id=two,env=TWO test -n "$TWO" && env | head -c 0 && echo used',
        `ADD http://me:${inUrl}@${server.host}/a /a`,
        `ADD http://${server.host}/b /b`,
      ].join('\n'),
      ...(await secret('one', inFile)),
      ...(await secret('two', inVariable)),
      ...(await secret(`HTTP_AUTH_HEADER_${server.host}`, `Custom ${inHeader}`)),
      ...(await secret('GIT_AUTH_TOKEN', inToken)),
      ...['--provenance', 'mode=max', '--sbom', 'true', '--lock', '--lock-file', join(at.directory, 'lock')],
      ...['--metadata-file', join(at.directory, 'metadata'), '--json'],
      ...['-t', `${registry.host}/app:1`, '--push', '--creds', `me:${ofRegistry}`],
      ...['-o', `type=oci-layout,dest=${out}`],
    );
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.equal(server.requests.length, 2);
    const places: (readonly [string, Buffer])[] = [
      ['stdout', Buffer.from(stdout)],
      ['stderr', Buffer.from(stderr)],
      ['lock', await readFile(join(at.directory, 'lock'))],
      ['metadata', await readFile(join(at.directory, 'metadata'))],
    ];
    for (const directory of [at.store, out, join(at.directory, 'registry')])
      for await (const place of contents(directory)) places.push(place);
    assert.ok(places.length > 20);
    for (const [place, bytes] of places)
      for (const canary of canaries)
        for (const form of [canary, Buffer.from(canary).toString('base64').slice(0, -4), `me:${canary}`])
          assert.ok(!bytes.includes(form), `${canary} is in ${place}`);
  });

  test('a server is told who asks, the one that it leads to is not', async () => {
    await using at = await makeArena();
    await using other = await serve((_request, response) => response.end('file'));
    await using server = await serve((_request, response) =>
      response.writeHead(302, { location: `http://${other.host}/moved` }).end(),
    );
    const file = join(at.directory, 'token');
    await writeFile(file, 'canary');
    const { status, stderr } = await at.build(
      `FROM scratch\nADD http://${server.host}/x /x\nADD http://me:canary@${server.host}/y /y`,
      ...['--secret', `id=HTTP_AUTH_TOKEN_${server.host},src=${file}`],
    );
    assert.equal(status, 0, stderr);
    const told = ({ requests }: Server) => requests.map(({ headers }) => headers.authorization !== undefined);
    assert.deepEqual(
      [told(server), told(other)],
      [
        [true, true],
        [false, false],
      ],
    );
  });

  test('a token for git goes to the server of the repository, and into no message', async () => {
    await using at = await makeArena();
    await using server = await serve((_request, response) => response.writeHead(500).end());
    const file = join(at.directory, 'token');
    await writeFile(file, 'canary');
    const secret = ['--secret', `id=GIT_AUTH_TOKEN.${server.host},src=${file}`];
    const url = (password: string): string => `http://${password}${server.host}/x.git`;
    for (const password of ['', 'me:canary@']) {
      const { status, stdout, stderr } = await at.oci('build', ...secret, url(password));
      assert.equal(status, 1);
      assert.ok(!`${stdout}${stderr}`.includes('canary'), stderr);
    }
    const headers = server.requests.map((request) => request.headers.authorization);
    assert.ok(headers.length > 0 && headers.every((header) => header?.startsWith('Basic ')), String(headers));
    await using stranger = await serve((_request, response) => response.writeHead(500).end());
    await at.oci('build', ...secret, `http://${stranger.host}/x.git`);
    assert.deepEqual(
      stranger.requests.map((request) => request.headers.authorization),
      stranger.requests.map(() => undefined),
    );
  });
});

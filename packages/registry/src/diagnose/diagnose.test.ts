import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FaultRegistry, sendError, serveImage, startFaultRegistry } from '../fault-registry.testkit.ts';
import { makeImage, temporaryDirectory, temporaryStore } from '../images.testkit.ts';
import { push } from '../push.ts';
import { startRegistry } from '../server/index.ts';
import type { HttpResponse } from '../transport/response.ts';
import { readClock, readPing, readRateLimit } from './answers.ts';
import { checkAddress } from './connection.ts';
import { diagnose } from './diagnose.ts';
import type { Finding } from './finding.ts';

interface World extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly home: string;
  ask(options?: Parameters<typeof diagnose>[1]): Promise<readonly Finding[]>;
}

async function world(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const registry = stack.use(await startFaultRegistry());
  const { store } = stack.use(await temporaryStore());
  const { path } = stack.use(await temporaryDirectory());
  await serveImage(registry, { store, top: await makeImage(store), name: 'team/app', tag: '1' });
  return {
    registry,
    home: path,
    ask: (options = {}) => diagnose(`${registry.host}/team/app:1`, { env: { HOME: path }, ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(0);
}

function verdicts(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict]));
}

test('a registry is looked at from its address to its rate limit', async () => {
  await using directory = await temporaryDirectory();
  await using served = await startRegistry({ directory: join(directory.path, 'served') });
  await using made = await temporaryStore();
  const env = { HOME: directory.path };
  const name = `${served.host}/team/app:1`;
  await push(await makeImage(made.store), name, { store: made.store, env });
  assert.deepEqual(verdicts(await diagnose(name, { env })), {
    order: 'ok',
    address: 'ok',
    certificate: 'limited',
    credentials: 'ok',
    'registry API': 'ok',
    clock: 'ok',
    image: 'ok',
    ranges: 'ok',
    referrers: 'ok',
    'rate limit': 'ok',
  });
});

test('what a registry lacks is said with a remedy', async () => {
  await using at = await world();
  at.registry.fault = ({ path, method }, response) => {
    response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
    response.setHeader('ratelimit-limit', '100;w=21600');
    response.setHeader('ratelimit-remaining', '0;w=21600');
    const bytes = at.registry.blobs.get(path.slice(path.lastIndexOf('/') + 1));
    if (method !== 'GET' || bytes === undefined) return false;
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    return true;
  };
  const findings = await at.ask();
  const found = verdicts(findings);
  assert.equal(found['ranges'], 'limited');
  assert.equal(found['clock'], 'limited');
  assert.equal(found['rate limit'], 'missing');
  for (const { verdict, remedy, name } of findings)
    if (verdict !== 'ok') assert.ok(remedy !== undefined && remedy !== '', name);
});

test('mirrors come in their order, each with its own findings, and failures are findings', async () => {
  await using at = await world();
  await using mirror = await startFaultRegistry((_request, response) => {
    sendError(response, 503, 'UNKNOWN');
    return true;
  });
  const registriesConf = join(at.home, 'r.conf');
  const text = `[[registry]]\nlocation = "${at.registry.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`;
  await writeFile(registriesConf, text);
  const findings = await at.ask({ registriesConf });
  assert.match(findings[0]?.found ?? '', new RegExp(`^${mirror.host}/team/app:1, then ${at.registry.host}`));
  const api = findings.filter(({ name }) => name === 'registry API');
  assert.deepEqual(
    api.map(({ place, verdict }) => [place, verdict]),
    [
      [mirror.host, 'missing'],
      [at.registry.host, 'ok'],
    ],
  );
});

test('where credentials come from is told, and never what they are', async () => {
  await using at = await world();
  const authFile = join(at.home, 'auth.json');
  const auth = Buffer.from('ann:s3cret-passw0rd').toString('base64');
  await writeFile(authFile, JSON.stringify({ auths: { [at.registry.host]: { auth } } }));
  at.registry.fault = ({ headers }, response) => {
    if (headers['authorization'] === `Basic ${auth}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    return true;
  };
  const findings = await at.ask({ authFile });
  assert.equal(findings.find(({ name }) => name === 'credentials')?.found, `from ${authFile}`);
  assert.equal(verdicts(findings)['image'], 'ok');
  assert.doesNotMatch(JSON.stringify(findings), /s3cret|YW5uOn/);
  const refused = await at.ask({ credentials: { username: 'ann', password: 'wr0ng-one' } });
  assert.equal(verdicts(refused)['image'], 'missing');
  assert.doesNotMatch(JSON.stringify(refused), /wr0ng/);
});

test('a host that does not exist ends the questions to it', async () => {
  const findings = await diagnose('registry.invalid/app:1', { env: { HOME: '/nonexistent' } });
  assert.equal(verdicts(findings)['address'], 'missing');
  assert.equal(verdicts(findings)['registry API'], undefined);
  assert.equal((await checkAddress('localhost:5000')).verdict, 'ok');
});

test('answers are read without being believed', () => {
  const answer = (headers: Readonly<Record<string, string>>, status = 200): HttpResponse => ({
    status,
    url: new URL('https://r.example/v2/'),
    header: (name) => headers[name],
    headers: (name) => (headers[name] === undefined ? [] : [headers[name]]),
    body: nothing(),
    discard: async () => undefined,
  });
  assert.equal(readPing(answer({ 'docker-distribution-api-version': 'registry/2.0' }, 401)).verdict, 'ok');
  assert.equal(readPing(answer({}, 404)).verdict, 'missing');
  assert.equal(readClock(answer({ date: 'yesterday' })).verdict, 'ok');
  assert.equal(readClock(answer({ date: new Date(0).toUTCString() }), 61_000).verdict, 'limited');
  assert.equal(readRateLimit(answer({ 'ratelimit-remaining': 'many' })).found, 'none is announced');
  assert.equal(readRateLimit(answer({ 'ratelimit-remaining': '7' })).found, '7 left');
});

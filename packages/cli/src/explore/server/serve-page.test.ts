import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type PageServer, servePage } from './serve-page.ts';

const page = { html: '<!doctype html><title>report</title>', policy: "default-src 'none'" };

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe('the server of the page', () => {
  let server: PageServer;
  before(async () => {
    server = await servePage(page);
  });
  after(() => server?.[Symbol.asyncDispose]());

  async function ask(
    path: string,
    { method = 'GET', headers = {} }: { readonly method?: string; readonly headers?: object } = {},
  ): Promise<Answer> {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      method,
      headers: { ...headers },
      agent: false,
    };
    const sent = request(options);
    sent.end();
    const [response] = await once(sent, 'response');
    let body = '';
    for await (const chunk of response.setEncoding('utf8')) body += chunk;
    return { status: response.statusCode, headers: response.headers, body };
  }
  const path = (): string => new URL(server.url).pathname;

  test('listens on the loopback address alone, and gives the page to whoever knows the secret', async () => {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
    const { status, headers, body } = await ask(path());
    assert.equal(status, 200);
    assert.equal(body, page.html);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    const elsewhere = connect({ host: '127.0.0.2', port: server.port });
    const [error] = await once(elsewhere, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
  });

  test('each server has another secret, and nothing is there without it', async () => {
    await using other = await servePage(page);
    assert.notEqual(new URL(other.url).pathname, path());
    for (const wrong of [
      '/',
      '/favicon.ico',
      new URL(other.url).pathname,
      path().slice(0, -1),
      path().slice(0, -2),
      `${path()}x`,
      `${path()}?x`,
      path().toLowerCase() === path() ? '/x' : path().toLowerCase(),
      `/.${path()}`,
      `/%2e${path()}`,
    ]) {
      const { status, body } = await ask(wrong);
      assert.equal(status, 404, wrong);
      assert.ok(!body.includes('report'));
    }
  });

  test('a name that somebody points here is refused: DNS rebinding', async () => {
    for (const host of [
      'attacker.example',
      `attacker.example:${server.port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1:${server.port}.attacker.example`,
      `[::1]:${server.port}`,
    ]) {
      const { status, body } = await ask(path(), { headers: { host } });
      assert.ok(status === 421 || status === 400, `${host}: ${status}`);
      assert.ok(!body.includes('report'), host);
    }
    assert.equal((await ask(path(), { headers: { host: `localhost:${server.port}` } })).status, 200);
  });

  test('two Host headers, and an absolute address, do not get round that', async () => {
    for (const lines of [
      [`GET ${path()} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, 'Host: attacker.example'],
      [`GET ${path()} HTTP/1.1`, 'Host: attacker.example', `Host: 127.0.0.1:${server.port}`],
      [`GET http://attacker.example${path()} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`],
      [`GET ${path()} HTTP/1.0`],
      [`GET ${path()} HTTP/1.1`, 'Host:'],
    ]) {
      const socket = connect(server.port, '127.0.0.1');
      socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      assert.ok(!answer.includes('<title>report'), lines.join(' | '));
    }
  });

  test('only GET', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE']) {
      const { status, headers, body } = await ask(path(), { method });
      assert.equal(status, 405, method);
      assert.equal(headers['allow'], 'GET');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.ok(!body.includes('report'));
    }
  });

  test('says what the browser may do with the answers, also the refusals', async () => {
    for (const [answer, isPage] of [
      [await ask(path()), true],
      [await ask('/'), false],
      [await ask(path(), { headers: { host: 'attacker.example' } }), false],
    ] as const) {
      const { headers } = answer;
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.equal(answer.body.includes('<title>'), isPage);
    }
  });

  test('the address for the command line of a browser works once', async () => {
    const once = new URL(server.oneTimeUrl());
    assert.ok(!once.href.includes(path().slice(1, -1)), 'it does not hold the secret');
    const first = await ask(once.pathname);
    assert.equal(first.status, 303);
    assert.equal(first.headers['location'], path());
    assert.equal((await ask(once.pathname)).status, 404);
    const rebound = new URL(server.oneTimeUrl());
    assert.equal((await ask(rebound.pathname, { headers: { host: 'attacker.example' } })).status, 421);
    assert.equal((await ask(rebound.pathname)).status, 303, 'a refusal does not use it up');
  });

  test('closing ends connections that are open', async () => {
    const own = await servePage(page);
    const socket = connect(own.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await own[Symbol.asyncDispose]();
    await closed;
  });
});

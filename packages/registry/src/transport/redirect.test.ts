import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveOwnTarget, resolveTarget } from './redirect.ts';

const from = new URL('https://registry.example.com/v2/a/blobs/x');
const context = { from, registry: 'registry.example.com', what: 'redirect' };

describe('redirect', () => {
  for (const target of [
    'http://registry.example.com/v2/',
    'http://cdn.example.com/',
    'https://169.254.169.254/latest',
    'https://metadata.google.internal/',
    'https://127.0.0.1:9000/',
    'https://[::1]/',
    'https://localhost/',
    'https://a.localhost/',
    'https://localhost./',
    'https://metadata.google.internal./',
    'https://u:p@cdn.example.com/',
    'ftp://cdn.example.com/',
    'file:///etc/passwd',
    'https://',
  ]) {
    test(`${target} is refused`, () => {
      assert.throws(() => resolveTarget(target, context), { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
    });
  }

  test('other hosts, private addresses and relative targets are followed', () => {
    assert.equal(
      resolveTarget('https://cdn.example.net/x?sig=1#f', context).href,
      'https://cdn.example.net/x?sig=1',
    );
    assert.equal(resolveTarget('https://10.1.2.3:9000/x', context).host, '10.1.2.3:9000');
    assert.equal(resolveTarget('../y', context).pathname, '/v2/a/y');
  });

  test('a registry on this machine may point to this machine', () => {
    const local = { ...context, from: new URL('http://127.0.0.1:5000/'), registry: '127.0.0.1:5000' };
    assert.equal(resolveTarget('http://127.0.0.1:9000/x', local).port, '9000');
  });

  test('the message tells no secret', () => {
    assert.throws(
      () => resolveTarget('http://user:pass@cdn.example.com/?X-Amz-Signature=t0p', context),
      (error) => error instanceof Error && !/t0p|pass@/.test(`${error.message}${JSON.stringify(error)}`),
    );
  });
});

describe('upload location', () => {
  test('http for the own host is read as https', () => {
    const url = resolveOwnTarget('http://registry.example.com/v2/a/blobs/uploads/1', context);
    assert.equal(url.href, 'https://registry.example.com/v2/a/blobs/uploads/1');
    const port = { ...context, from: new URL('https://registry.example.com:8443/') };
    assert.equal(resolveOwnTarget('http://registry.example.com:8443/x', port).origin, port.from.origin);
  });

  test('http for another host is refused', () => {
    assert.throws(() => resolveOwnTarget('http://registry.example.org/', context));
    assert.throws(() => resolveOwnTarget('http://registry.example.com:8080/', context));
  });
});

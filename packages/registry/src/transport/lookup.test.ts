import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, test } from 'node:test';
import { createLookup } from './lookup.ts';

type Answer = string | readonly LookupAddress[];

/** Asks for one address, as if a name resolved to it. */
function ask(
  resolved: string,
  options: { readonly guarded: boolean; readonly name?: string },
): Promise<Answer> {
  const resolve: LookupFunction = (_name, _options, callback) => callback(null, resolved, 4);
  const lookup = createLookup({ guarded: options.guarded, resolve });
  return new Promise((settle, reject) => {
    lookup(options.name ?? 'cdn.example.com', { all: false }, (error, address) => {
      if (error === null) settle(address);
      else reject(error);
    });
  });
}

describe('name resolution', () => {
  for (const address of ['169.254.169.254', '127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', 'fe80::1']) {
    test(`a name at ${address} is refused when guarded`, async () => {
      await assert.rejects(ask(address, { guarded: true }), { code: 'ERR_OCI_ADDRESS_REFUSED' });
      assert.equal(await ask(address, { guarded: false }), address);
    });
  }

  test('other addresses pass', async () => {
    assert.equal(await ask('10.0.0.1', { guarded: true }), '10.0.0.1');
    assert.equal(await ask('203.0.113.7', { guarded: true }), '203.0.113.7');
  });

  test('localhost is loopback whatever the resolver says', async () => {
    for (const name of ['localhost', 'LOCALHOST', 'registry.localhost', 'localhost.']) {
      assert.equal(await ask('203.0.113.7', { guarded: false, name }), '127.0.0.1');
    }
  });
});

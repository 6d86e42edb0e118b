import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultScheme } from '../names.ts';
import { testTable } from '../tables.testkit.ts';
import { addressKind, isLoopbackHost, isPrivateHost } from './address.ts';

testTable<{ readonly host: string; readonly match: boolean }>('localhost-hosts.json', ({ host, match }) => {
  assert.equal(isLoopbackHost(host), match);
});

testTable<{ readonly domain: string; readonly scheme: string }>(
  'registry-scheme.json',
  ({ domain, scheme }) => {
    assert.equal(defaultScheme(domain), scheme);
  },
);

test('kinds of addresses', () => {
  assert.equal(addressKind('169.254.169.254'), 'link-local');
  assert.equal(addressKind('[fe80::1%eth0]'), 'link-local');
  assert.equal(addressKind('::ffff:10.0.0.1'), 'private');
  assert.equal(addressKind('100.100.100.200'), 'link-local');
  assert.equal(addressKind('[::ffff:7f00:1]'), 'loopback');
  assert.equal(addressKind('8.8.8.8'), 'public');
  assert.equal(addressKind('example.com'), 'name');
});

test('names under localhost are loopback, others that look like it are not', () => {
  assert.ok(isLoopbackHost('registry.localhost:5000'));
  assert.ok(!isLoopbackHost('localhost.example.com'));
  assert.ok(!isLoopbackHost('notlocalhost'));
});

test('private names', () => {
  for (const host of [
    'registry',
    'registry:5000',
    'a.local',
    'a.internal',
    '192.168.1.1:5000',
    'localhost',
  ]) {
    assert.ok(isPrivateHost(host), host);
  }
  for (const host of ['example.com', '1.2.3.4', '[2001:db8::1]:5000']) assert.ok(!isPrivateHost(host), host);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkRealm } from './realm.ts';

const refused: readonly (readonly [string, string])[] = [
  ['https://registry.example.com', 'http://auth.example.com/token'],
  ['https://registry.example.com', 'https://169.254.169.254/latest/meta-data'],
  ['https://registry.example.com', 'https://[fe80::1]/token'],
  ['https://registry.example.com', 'https://[fd00:ec2::254]/token'],
  ['https://registry.example.com', 'https://[::ffff:169.254.169.254]/token'],
  ['https://registry.example.com', 'https://127.0.0.1/token'],
  ['https://registry.example.com', 'https://2130706433/token'],
  ['https://registry.example.com', 'https://0x7f.1/token'],
  ['https://registry.example.com', 'https://0.0.0.0/token'],
  ['https://registry.example.com', 'https://localhost:8080/token'],
  ['https://registry.example.com', 'https://10.1.2.3/token'],
  ['https://registry.example.com', 'https://metadata.google.internal/token'],
  ['https://registry.example.com', 'https://user:pass@auth.example.com/token'],
  ['https://registry.example.com', 'file:///etc/passwd'],
  ['https://registry.example.com', '/token'],
  ['https://registry.example.com', ''],
  ['https://10.0.0.1', 'https://169.254.169.254/token'],
  ['https://127.0.0.1:5000', 'http://127.0.0.1:5001/token'],
];

const allowed: readonly (readonly [string, string])[] = [
  ['https://registry-1.docker.io', 'https://auth.docker.io/token'],
  ['https://registry.corp', 'https://10.1.2.3/token'],
  ['https://10.0.0.1:5000', 'https://10.0.0.2/token'],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token'],
  ['http://localhost:5000', 'https://auth.example.com/token'],
  ['http://registry.lan:5000', 'http://auth.lan/token'],
];

describe('token service', () => {
  for (const [origin, realm] of refused) {
    test(`${realm || '(empty)'} is refused for ${origin}`, () => {
      assert.throws(() => checkRealm(realm, new URL(origin)), { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
    });
  }
  for (const [origin, realm] of allowed) {
    test(`${realm} is allowed for ${origin}`, () => {
      assert.equal(checkRealm(realm, new URL(origin)).href, new URL(realm).href);
    });
  }
});

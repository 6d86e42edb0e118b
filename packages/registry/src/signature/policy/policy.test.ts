import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseReference } from '@ocijs/image';
import { findRequirements } from './find-requirements.ts';
import { parsePolicy } from './parse-policy.ts';

const parse = (document: unknown) =>
  parsePolicy(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), 'policy.json');
const anything = { type: 'insecureAcceptAnything' };
const gpg = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/a' };
const sigstore = { type: 'sigstoreSigned', keyPath: '/k.pub' };

describe('policy.json', () => {
  test('of Debian accepts anything', () => {
    const policy = parse({ default: [anything] });
    assert.deepEqual(findRequirements(policy, parseReference('debian')), [anything]);
  });

  test('of Fedora is read, with its GPG keys', () => {
    const policy = parse({
      default: [anything],
      transports: {
        docker: {
          'registry.access.redhat.com': [{ type: 'signedBy', keyType: 'GPGKeys', keyPaths: ['/a', '/b'] }],
        },
        'docker-daemon': { '': [anything] },
      },
    });
    const found = findRequirements(policy, parseReference('registry.access.redhat.com/ubi9'));
    assert.deepEqual(found, [
      {
        type: 'signedBy',
        keys: [{ path: '/a' }, { path: '/b' }],
        signedIdentity: { type: 'matchRepoDigestOrExact' },
      },
    ]);
  });

  test('the longest scope that fits is the one that counts', () => {
    const mark = (dockerReference: string) => [
      { ...sigstore, signedIdentity: { type: 'exactReference', dockerReference } },
    ];
    const scopes = [
      'example.com/ns/app:v1',
      'example.com/ns/app',
      'example.com/ns',
      'example.com:5000',
      '*.example.com',
      'a.b.example.com',
      'docker.io/library/busybox',
      'docker.io',
      '',
    ];
    const policy = parse({
      default: [{ type: 'reject' }],
      transports: { docker: Object.fromEntries(scopes.map((scope) => [scope, mark(scope)])) },
    });
    for (const [name, scope] of [
      ['example.com/ns/app:v1', 'example.com/ns/app:v1'],
      ['example.com/ns/app:v2', 'example.com/ns/app'],
      [`example.com/ns/app:v1@sha256:${'0'.repeat(64)}`, 'example.com/ns/app'],
      ['example.com/ns/application:v1', 'example.com/ns'],
      ['example.com/ns/app/deeper', 'example.com/ns/app'],
      ['example.com/ns2/app', ''],
      ['example.com:5000/ns/app', 'example.com:5000'],
      ['a.example.com:444/app', '*.example.com'],
      ['a.b.example.com/app', 'a.b.example.com'],
      ['c.b.example.com/app', '*.example.com'],
      ['notexample.com/app', ''],
      ['busybox', 'docker.io/library/busybox'],
      ['debian', 'docker.io'],
    ] as const) {
      const [found] = findRequirements(policy, parseReference(name));
      assert.deepEqual(
        found?.type === 'sigstoreSigned' && found.signedIdentity,
        { type: 'exactReference', dockerReference: scope },
        name,
      );
    }
  });

  test('without a scope that fits, the default counts', () => {
    const policy = parse({ default: [{ type: 'reject' }], transports: { docker: { 'a.com': [anything] } } });
    assert.deepEqual(findRequirements(policy, parseReference('b.com/x')), [{ type: 'reject' }]);
    const other = parse({ default: [{ type: 'reject' }], transports: { dir: { '': [anything] } } });
    assert.deepEqual(findRequirements(other, parseReference('b.com/x')), [{ type: 'reject' }]);
  });

  for (const [what, requirement] of [
    ['fulcio', { type: 'sigstoreSigned', fulcio: {} }],
    ['pki', { type: 'sigstoreSigned', pki: {} }],
    ['a transparency log', { ...sigstore, rekorPublicKeyPath: '/r' }],
    ['a key of X.509', { type: 'signedBy', keyType: 'X509Certificates', keyPath: '/a' }],
  ] as const)
    test(`${what} is known, and no image fulfils it`, () => {
      assert.equal(parse({ default: [requirement] }).default[0]?.type, 'unsupported');
    });

  for (const [what, document] of [
    ['nothing', ''],
    ['no default', { transports: {} }],
    ['an empty list', { default: [] }],
    ['an unknown type', { default: [{ type: 'acceptSomething' }] }],
    ['an unknown field', { default: [anything], Default: [] }],
    ['an unknown field of a requirement', { default: [{ ...anything, keyPath: '/x' }] }],
    ['a name twice', '{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}'],
    ['a requirement without key', { default: [{ type: 'sigstoreSigned' }] }],
    ['two kinds of key', { default: [{ ...sigstore, keyData: 'AAAA' }] }],
    ['key data that is no base64', { default: [{ type: 'sigstoreSigned', keyData: '!' }] }],
    ['an empty list of keys', { default: [{ type: 'sigstoreSigned', keyPaths: [] }] }],
    ['GPG keys without keys', { default: [{ type: 'signedBy', keyType: 'GPGKeys' }] }],
    ['GPG keys in two forms', { default: [{ ...gpg, keyData: 'AAAA' }] }],
    [
      'GPG keys in a form of sigstore',
      { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyDatas: ['AAAA'] }] },
    ],
    ['no kind of key', { default: [{ type: 'signedBy', keyPath: '/a' }] }],
    ['an unknown kind of key', { default: [{ ...gpg, keyType: 'PGPKeys' }] }],
    ['an unknown identity', { default: [{ ...sigstore, signedIdentity: { type: 'matchAnything' } }] }],
    [
      'an identity with too much',
      { default: [{ ...sigstore, signedIdentity: { type: 'matchExact', prefix: 'a' } }] },
    ],
    ['a list of transports', { default: [anything], transports: [] }],
  ] as const)
    test(`${what} makes all of it invalid`, () => {
      assert.throws(() => parse(document), {
        code: 'ERR_OCI_SIGNATURE_POLICY_INVALID',
        message: /policy\.json/,
      });
    });
});

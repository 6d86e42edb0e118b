import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image';
import type { Credentials } from '../options.ts';
import { readTestdata, testTable } from '../tables.testkit.ts';
import { keyHostname, matchAuths, normalizeKey, parseAuthFile } from './docker-config.ts';

testTable<{ readonly input: string; readonly expected: string }>(
  'credential-hostname.json',
  ({ input, expected }) => {
    assert.equal(keyHostname(input), expected);
  },
);

function find(file: string, name: string): Credentials | undefined {
  const [registry = '', ...path] = name.split('/');
  const repository = path.length === 0 ? undefined : path.join('/');
  return matchAuths(parseAuthFile(readTestdata(`docker-config/${file}`), file), { registry, repository });
}

function user(username: string, password: string): Credentials {
  return { username, password };
}

describe('which entry of a file fits', () => {
  const rows: readonly (readonly [string, string, Credentials | undefined])[] = [
    ['example.json', 'example.org', user('example', 'org')],
    ['example.json', 'example.com', undefined],
    ['example.json', 'sub.example.org', undefined],
    ['example_identitytoken.json', 'example.org', { identityToken: 'some very long identity token' }],
    ['refpath.json', 'example.org/repo/image', user('example', 'org')],
    ['refpath.json', 'example.org/repo', user('example', 'org')],
    ['refpath.json', 'example.org/repository', user('local', 'host')],
    ['refpath.json', 'docker.io/vendor', user('first', 'level')],
    ['refpath.json', 'docker.io/library/busybox', user('library', 'busybox')],
    ['refpath.json', 'docker.io/library/debian', user('library', 'other')],
    ['refpath.json', 'docker.io/other/debian', user('top', 'level')],
    ['full.json', 'docker.io', user('docker', 'io')],
    ['full.json', 'localhost', user('local', 'host')],
    ['full.json', 'localhost:5000', user('local', 'host-5000')],
    ['full.json', '10.10.30.45', user('10.10', '30.45')],
    ['full.json', '10.10.30.45:5000', user('10.10', '30.45-5000')],
    ['full.json', 'normalize.example.org', user('normalize', 'example')],
    ['abnormal.json', 'docker.io/library/x', user('index', 'docker.io')],
    ['abnormal.json', '127.0.0.1:5000', user('127.0', '0.1-5000')],
    ['abnormal.json', 'localhost:5000', user('local', 'host-5000')],
    ['empty.json', 'example.org', undefined],
  ];
  for (const [file, name, expected] of rows) {
    test(`${file} for ${name}`, () => assert.deepEqual(find(file, name), expected));
  }
});

test('all names of Docker Hub are one', () => {
  for (const key of ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io']) {
    assert.equal(normalizeKey(key), 'docker.io');
  }
});

test('an entry without content, as credential stores leave it, is none', () => {
  const file = parseAuthFile('{"auths":{"a.org":{}},"credsStore":"desktop"}', 'x');
  assert.equal(file.auths.size, 0);
  assert.equal(file.credsStore, 'desktop');
});

for (const text of [
  '{"auths":{"a.org":{"auth":"c2VjcmV0"}}}',
  '{"auths": {"a.org": s3cret}}',
  '[]',
  '{"auths":[]}',
]) {
  test(`${text} is refused without quoting it`, () => {
    assert.throws(
      () => parseAuthFile(text, '/auth.json'),
      (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CREDENTIALS_INVALID'));
        assert.doesNotMatch(`${error.message}${String(error.cause)}`, /s3cret|c2VjcmV0|secret/);
        return true;
      },
    );
  });
}

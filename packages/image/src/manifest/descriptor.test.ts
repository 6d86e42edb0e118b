import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestBytes } from '../digest/hasher.ts';
import { isOciError } from '../errors.ts';
import { parseDescriptor } from './descriptor.ts';

const content = Buffer.from('{"a":1}~~~');
const descriptor = { mediaType: 'text/plain', digest: digestBytes(content), size: content.length };

function refuses(changes: object, jsonPath: string): void {
  assert.throws(
    () => parseDescriptor({ ...descriptor, ...changes }, '$.layers[3]'),
    (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_MANIFEST_INVALID'), String(error));
      assert.equal(error.facts.jsonPath, `$.layers[3]${jsonPath}`);
      return true;
    },
  );
}

describe('descriptor', () => {
  test('all fields', () => {
    const full = {
      ...descriptor,
      urls: ['https://example.com/a?b=c#d', 'urn:x:%20y', 'http://[::1]/'],
      annotations: { 'org.example': '', '': 'empty name' },
      data: content.toString('base64'),
      artifactType: 'application/vnd.example+json',
      platform: {
        os: 'windows',
        architecture: 'amd64',
        'os.version': '10.0',
        'os.features': ['win32k'],
        variant: 'v2',
      },
    };
    assert.deepEqual(parseDescriptor(full, '$'), full);
  });

  test('null is absent where a field may be absent', () => {
    const nulls = { urls: null, annotations: null, data: null, artifactType: null, platform: null };
    assert.deepEqual(parseDescriptor({ ...descriptor, ...nulls }, '$'), descriptor);
  });

  for (const size of [-1, 1.5, '1', null, Number.MAX_SAFE_INTEGER + 1, Number.POSITIVE_INFINITY, true])
    test(`size ${String(size)} is refused`, () => refuses({ size }, '.size'));

  for (const digest of ['', 'sha256:', `sha256:${'A'.repeat(64)}`, 'sha256:../../x', null, 7])
    test(`digest ${JSON.stringify(digest)} is refused`, () => refuses({ digest }, '.digest'));

  test('the cause of a bad digest is kept, and its digest is a fact', () => {
    try {
      parseDescriptor({ ...descriptor, digest: 'sha256:x' }, '$');
      assert.fail('accepted');
    } catch (error) {
      assert.ok(isOciError(error, 'ERR_OCI_MANIFEST_INVALID'));
      assert.ok(isOciError(error.cause, 'ERR_OCI_DIGEST_INVALID'));
      assert.equal(error.facts.digest, 'sha256:x');
    }
  });

  for (const url of ['value', '', '/path', 'https://a b', 'https://a\n', 'https://%zz', '://x'])
    test(`url ${JSON.stringify(url)} is refused`, () => refuses({ urls: ['https://ok', url] }, '.urls[1]'));

  test('embedded data must be the content', () => {
    const other = Buffer.from('{"a":2}~~~').toString('base64');
    refuses({ data: other }, '.data');
    refuses({ data: content.subarray(1).toString('base64') }, '.data');
    refuses({ data: `${content.toString('base64')}\n` }, '.data');
    refuses({ data: content.toString('base64url') }, '.data');
    refuses({ data: content.toString('base64').replace(/=+$/, '') }, '.data');
    refuses({ data: '', size: 0 }, '.data');
    refuses({ data: {} }, '.data');
  });

  test('a platform needs system and architecture', () => {
    refuses({ platform: { os: 'linux' } }, '.platform.architecture');
    refuses({ platform: { architecture: 'amd64' } }, '.platform.os');
    refuses({ platform: { os: 'linux', architecture: 'arm', variant: 7 } }, '.platform.variant');
    refuses(
      { platform: { os: 'linux', architecture: 'arm', 'os.features': 'x' } },
      '.platform["os.features"]',
    );
    refuses({ platform: 'linux/amd64' }, '.platform');
  });

  for (const value of [null, [], 'x', 7, undefined])
    test(`${JSON.stringify(value)} is no descriptor`, () => {
      assert.throws(() => parseDescriptor(value, '$'), { code: 'ERR_OCI_MANIFEST_INVALID' });
    });

  test('an annotation called "__proto__" stays an annotation', () => {
    const value: unknown = JSON.parse(
      JSON.stringify(descriptor).replace('}', ',"annotations":{"__proto__":"x"}}'),
    );
    const { annotations = {} } = parseDescriptor(value, '$');
    assert.deepEqual(Object.entries(annotations), [['__proto__', 'x']]);
  });
});

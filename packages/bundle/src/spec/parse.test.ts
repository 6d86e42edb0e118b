import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { defaultSpec } from './defaults.ts';
import { parseSpec } from './parse.ts';

function bytes(value: unknown): Uint8Array {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

test('what we write is read back as it was', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(parseSpec(bytes(defaultSpec())))), defaultSpec());
});

test('null is the same as absent, as for tools written in Go', () => {
  const spec = parseSpec(
    bytes({ ociVersion: '1.0.2', hooks: null, process: { cwd: '/', env: null }, linux: { seccomp: null } }),
  );
  assert.equal(spec.hooks, undefined);
  assert.equal(spec.linux?.seccomp, undefined);
  assert.deepEqual(spec.process?.user, { uid: 0, gid: 0 });
});

test('the first violation is named with its place, and the others are counted', () => {
  assert.throws(() => parseSpec(bytes({ ociVersion: 1, root: {} })), {
    code: 'ERR_OCI_SPEC_INVALID',
    message: 'config.json: $.ociVersion must be a string (and 1 more)',
    facts: { jsonPath: '$.ociVersion' },
  });
});

test('broken JSON and a name given twice are refused', () => {
  for (const text of ['{]', '{"ociVersion":"1.0.2","ociVersion":"1.0.3"}', '']) {
    assert.throws(
      () => parseSpec(bytes(text)),
      (error) => isOciError(error, 'ERR_OCI_JSON_INVALID'),
    );
  }
});

test('members of the prototype do not pass for fields', () => {
  const spec = parseSpec(bytes('{"ociVersion":"1.0.2","__proto__":{"root":{"path":"x"}}}'));
  assert.equal(spec.root, undefined);
});

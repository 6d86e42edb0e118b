import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultStateRoot } from './env.ts';

const user = process.geteuid?.() ?? 0;

test('OCI_ROOT decides', () => {
  assert.equal(defaultStateRoot({ OCI_ROOT: '/x', XDG_RUNTIME_DIR: '/run/user/1' }), '/x');
});

test('otherwise root and ordinary users have their own places', () => {
  const own = join(tmpdir(), `oci-${user}`);
  assert.equal(
    defaultStateRoot({ XDG_RUNTIME_DIR: '/run/user/1' }),
    user === 0 ? '/run/oci' : '/run/user/1/oci',
  );
  assert.equal(defaultStateRoot({ OCI_ROOT: '' }), user === 0 ? '/run/oci' : own);
});

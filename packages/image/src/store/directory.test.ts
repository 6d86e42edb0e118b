import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultStoreDirectory } from './directory.ts';

test('the store is where OCI_STORE says, else where root or the user keep data', () => {
  const user = { uid: 1000 };
  assert.equal(defaultStoreDirectory({ OCI_STORE: '/images' }, user), '/images');
  assert.equal(defaultStoreDirectory({ OCI_STORE: '/images' }, { uid: 0 }), '/images');
  assert.equal(defaultStoreDirectory({ OCI_STORE: 'here' }, user), `${process.cwd()}/here`);
  assert.equal(defaultStoreDirectory({ XDG_DATA_HOME: '/data' }, { uid: 0 }), '/var/lib/oci');
  assert.equal(defaultStoreDirectory({ XDG_DATA_HOME: '/data', HOME: '/home/u' }, user), '/data/oci');
  assert.equal(
    defaultStoreDirectory({ XDG_DATA_HOME: 'data', HOME: '/home/u' }, user),
    '/home/u/.local/share/oci',
  );
  assert.equal(defaultStoreDirectory({ OCI_STORE: '', HOME: '/home/u' }, user), '/home/u/.local/share/oci');
});

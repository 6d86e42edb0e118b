import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { resolveUser } from './resolve.ts';

interface Row {
  readonly user: string;
  readonly error?: boolean;
  readonly expect?: { uid: number; gid: number; sgids: number[]; home: string };
}

const table = JSON.parse(readFileSync(new URL('../testdata/user-lookup.json', import.meta.url), 'utf8')) as {
  cases: Row[];
  passwd: string;
  group: string;
  passwdInvalid: string;
  groupInvalid: string;
};

/** The table's value for a field that the lookup does not give; ours are 0 and undefined. */
const notGiven = 8888;

for (const row of table.cases) {
  if (row.error) {
    test(`refuses ${JSON.stringify(row.user)}`, () => {
      for (const databases of [
        { passwd: table.passwd, group: table.group },
        { passwd: table.passwdInvalid, group: table.groupInvalid },
      ]) {
        assert.throws(
          () => resolveUser(row.user, databases),
          (error) => isOciError(error, 'ERR_OCI_USER_NOT_FOUND'),
        );
      }
    });
    continue;
  }
  // The row of the empty name starts from user 8888; an image's default user is always 0.
  if (row.user === '') continue;
  test(`resolves ${JSON.stringify(row.user)}`, () => {
    const { uid, gid, sgids, home } = row.expect as NonNullable<Row['expect']>;
    // The table's group file lacks the two lines that name user7456.
    const group = `${table.group}grp2:x:1234:user7456\nlarge:x:1000:user7456\n`;
    assert.deepEqual(resolveUser(row.user, { passwd: table.passwd, group }), {
      uid,
      gid: gid === notGiven ? 0 : gid,
      additionalGids: sgids[0] === notGiven ? [] : sgids,
      home: home === '/8888' ? undefined : home,
    });
  });
}

test('the empty name is user 0, with the groups that root is a member of', () => {
  const user = resolveUser('', {
    passwd: 'root:x:0:0:root:/root:/bin/sh\n',
    group: 'root:x:0:\nwheel:x:10:root\n',
  });
  assert.deepEqual(user, { uid: 0, gid: 0, additionalGids: [10], home: '/root' });
});

test('without databases ids work and names do not', () => {
  assert.deepEqual(resolveUser('7:8', {}), { uid: 7, gid: 8, additionalGids: [], home: undefined });
  assert.throws(() => resolveUser('app', {}), { code: 'ERR_OCI_USER_NOT_FOUND' });
});

test('an entry with a huge or missing id gives nobody root', () => {
  const passwd = 'big:x:4294967296:0::/:/bin/sh\nnone:x:::::\nbig2:x:4294967295:0::/:\n';
  for (const name of ['big', 'none', 'big2']) {
    assert.throws(() => resolveUser(name, { passwd }), { code: 'ERR_OCI_USER_NOT_FOUND' });
  }
});

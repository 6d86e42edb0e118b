import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { scene } from '../testing/scene.ts';
import { readSqliteTable } from './rpm/sqlite.ts';
import { sbomStatement } from './sbom.ts';

const dpkg = `Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.36-9)
Version: 2.36-9+deb12u9
Description: GNU C Library
 Version: not this one

Package: gone
Status: deinstall ok config-files
Version: 1
`;
const apk = 'P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\n\nP:busybox\nV:1.36\nL:custom licence\n\n';

interface SpdxPackage {
  readonly name: string;
  readonly licenseDeclared?: string;
  readonly externalRefs?: readonly { readonly referenceLocator: string }[];
}

async function rpmDatabase(path: string, names: readonly string[]): Promise<Buffer> {
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE Name (key TEXT); CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)');
  const insert = database.prepare('INSERT INTO Packages (blob) VALUES (?)');
  for (const name of names) insert.run(rpmHeader(name));
  database.close();
  const bytes = await readFile(path);
  await rm(path);
  return bytes;
}

/** A header with more data than a page holds. */
function rpmHeader(name: string): Buffer {
  const values = [
    [1000, 6, Buffer.from(`${name}\0`)],
    [1001, 6, Buffer.from('1.0\0')],
    [1002, 6, Buffer.from('3.fc40\0')],
    [1003, 4, Buffer.from([0, 0, 0, 2])],
    [1022, 6, Buffer.from('x86_64\0')],
    [1004, 9, Buffer.from(`${'long '.repeat(name.length * 400)}\0`)],
  ] as const;
  const index = Buffer.alloc(8 + values.length * 16);
  index.writeUInt32BE(values.length, 0);
  let offset = 0;
  for (const [place, [tag, type, bytes]] of values.entries()) {
    for (const [field, value] of [tag, type, offset, 1].entries())
      index.writeUInt32BE(value, 8 + place * 16 + field * 4);
    offset += bytes.length;
  }
  index.writeUInt32BE(offset, 4);
  return Buffer.concat([index, ...values.map(([, , bytes]) => bytes)]);
}

test('the packages of dpkg, apk and npm, the same at any time', async () => {
  await using at = await scene({
    'etc/os-release': 'PRETTY_NAME="x"\nID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status': dpkg,
    'lib/apk/db/installed': apk,
    'app/node_modules/a/package.json': '{"name":"a","version":"1.0.0","license":"MIT"}',
    'app/node_modules/@s/b/package.json': '{"name":"@s/b","version":"2.0.0","license":"(MIT OR Apache-2.0)"}',
    'app/node_modules/@s/b/node_modules/c/package.json': '{"name":"c","version":"3.0.0"}',
    'app/node_modules/a/test/package.json': '{"name":"no","version":"1"}',
    'app/node_modules/d/package.json': 'broken',
    'app/node_modules/link': '-> a',
    'app/package.json': '{"name":"app","version":"1"}',
  });
  const { image, descriptor } = await at.build('FROM scratch\nCOPY . /');
  const statement = await sbomStatement(image, { store: at.store, names: ['x:1'] });
  const { packages, creationInfo, relationships } = statement.predicate as {
    packages: readonly SpdxPackage[];
    creationInfo: object;
    relationships: readonly object[];
  };
  assert.deepEqual(statement.subject, [
    { name: 'x:1', digest: { sha256: descriptor.digest.slice('sha256:'.length) } },
  ]);
  assert.deepEqual(
    packages
      .slice(1)
      .map(({ externalRefs, licenseDeclared }) => [externalRefs?.[0]?.referenceLocator, licenseDeclared]),
    [
      ['pkg:apk/debian/busybox@1.36?distro=debian-12', 'NOASSERTION'],
      ['pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12', 'MIT'],
      ['pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12', 'NOASSERTION'],
      ['pkg:npm/%40s/b@2.0.0', '(MIT OR Apache-2.0)'],
      ['pkg:npm/a@1.0.0', 'MIT'],
      ['pkg:npm/c@3.0.0', 'NOASSERTION'],
    ],
  );
  assert.equal(relationships.length, packages.length);
  assert.deepEqual(creationInfo, { created: '1970-01-01T00:00:00Z', creators: ['Tool: oci-build'] });
  assert.deepEqual(await sbomStatement(image, { store: at.store, names: ['x:1'] }), statement);
});

test('the packages of rpm, and a database that is damaged', async () => {
  await using at = await scene();
  const names = Array.from({ length: 60 }, (_, index) => `package-${index}`);
  const bytes = await rpmDatabase(join(at.directory, 'db'), names);
  assert.equal(readSqliteTable(bytes, 'Packages').length, 60);
  await writeFile(join(at.directory, 'context/rpmdb.sqlite'), bytes);
  const text = 'FROM scratch\nCOPY rpmdb.sqlite /var/lib/rpm/';
  const statement = await sbomStatement((await at.build(text)).image, { store: at.store });
  const { packages } = statement.predicate as { packages: readonly SpdxPackage[] };
  assert.equal(packages.length, 61);
  const [, first] = packages;
  assert.equal(first?.externalRefs?.[0]?.referenceLocator, 'pkg:rpm/package-0@2:1.0-3.fc40?arch=x86_64');

  const pageSize = bytes.readUInt16BE(16);
  for (let start = 0; start + pageSize <= bytes.length; start += pageSize * 7) {
    const damaged = Buffer.from(bytes);
    damaged.fill(0xff, start, start + 24);
    assert.doesNotThrow(() => {
      try {
        readSqliteTable(damaged, 'Packages');
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    });
  }
  await writeFile(join(at.directory, 'context/rpmdb.sqlite'), bytes.subarray(0, pageSize * 3));
  await assert.rejects(sbomStatement((await at.build(text)).image, { store: at.store }), (error) =>
    isOciError(error, 'ERR_OCI_BUILD_SBOM_FAILED'),
  );
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isOciError } from '../errors.ts';
import { scratch } from '../store/scratch.testkit.ts';
import { writeTar } from '../tar/write-tar.ts';
import type { TarWriterEntry } from '../tar/writer-entry.ts';
import { validateImage } from '../validate/validate-image.ts';
import { openArchive } from './open-archive.ts';

type Members = readonly (readonly [string | TarWriterEntry, (string | Uint8Array)?])[];

const layer = Buffer.alloc(1024);
const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
const config = (diffIds: readonly string[]): string =>
  JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } });
const manifest = (Layers: readonly string[], Config = 'c.json'): string =>
  JSON.stringify([{ Config, RepoTags: ['a:1'], Layers }]);

async function tarOf(members: Members): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const entries = members.map(([header, body = '']) => ({
    header: typeof header === 'string' ? { name: header } : header,
    body: Buffer.from(body),
  }));
  for await (const chunk of writeTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function open(members: Members): ReturnType<typeof openArchive> {
  const bytes = await tarOf(members);
  return openArchive(
    (async function* () {
      yield bytes;
    })(),
  );
}

const symlink = (name: string, linkname: string): TarWriterEntry => ({ name, linkname, type: 'symlink' });

test('links between members are followed, as old Dockers wrote them', async () => {
  await using archive = await open([
    ['one/layer.tar', layer],
    [symlink('two/layer.tar', '../one/layer.tar')],
    [{ name: 'three', linkname: 'one/layer.tar', type: 'link' }],
    ['c.json', config([diffId, diffId, diffId])],
    ['manifest.json', manifest(['one/layer.tar', './two/layer.tar', 'three'])],
  ]);
  assert.deepEqual(await validateImage(await archive.image('a:1')), []);
});

for (const [what, members] of Object.entries({
  'a link out of the archive': [[symlink('l', '../../etc/passwd')]],
  'an absolute link': [[symlink('l', '/etc/passwd')]],
  'links in circles': [[symlink('l', 'm')], [symlink('m', 'l')]],
  'a link to nothing': [[symlink('l', 'gone')]],
  'a name that leads out of the archive': [['../l', layer]],
  'a missing layer': [],
} satisfies Record<string, Members>)) {
  test(`${what} is no layer`, async () => {
    const opening = open([...members, ['c.json', config([diffId])], ['manifest.json', manifest(['l'])]]);
    await assert.rejects(opening, { code: 'ERR_OCI_ARCHIVE_INVALID' });
  });
}

for (const path of ['/etc/passwd', '../../../../etc/passwd', 'file:///etc/passwd']) {
  test(`a config ${path} is a member that is not there, not a path`, async () => {
    await assert.rejects(open([['manifest.json', manifest([], path)]]), { code: 'ERR_OCI_ARCHIVE_INVALID' });
  });
}

test('two documents of one name are refused', async () => {
  const image: Members = [
    ['c.json', config([])],
    ['manifest.json', manifest([])],
  ];
  await assert.rejects(open([...image, ['./manifest.json', manifest([])]]), {
    code: 'ERR_OCI_ARCHIVE_INVALID',
    message: /more than one manifest\.json/,
  });
});

test('of two layers with one name the last counts', async () => {
  await using archive = await open([
    ['l', 'not this one'],
    ['l', layer],
    ['c.json', config([diffId])],
    ['manifest.json', manifest(['l'])],
  ]);
  assert.deepEqual(await validateImage(await archive.image('a:1')), []);
});

test('a layer with other bytes than the config says never ends cleanly', async () => {
  await using archive = await open([
    ['l', Buffer.alloc(1024, 1)],
    ['c.json', config([diffId])],
    ['manifest.json', manifest(['l'])],
  ]);
  const image = await archive.image('a:1');
  const read = async (): Promise<void> => {
    const [first] = image.manifest.layers;
    assert.ok(first);
    for await (const chunk of image.openBlob(first)) assert.ok(chunk.length > 0);
  };
  await assert.rejects(read, { code: 'ERR_OCI_DIGEST_MISMATCH' });
});

test('layers and diffIDs must be as many', async () => {
  const members: Members = [
    ['l', layer],
    ['c.json', config([diffId])],
  ];
  for (const layers of [[], ['l', 'l']])
    await assert.rejects(open([...members, ['manifest.json', manifest(layers)]]), {
      code: 'ERR_OCI_ARCHIVE_INVALID',
    });
});

test('a document beyond its limit is not read', async () => {
  await assert.rejects(open([['manifest.json', Buffer.alloc(5 * 1024 * 1024, 0x20)]]), {
    code: 'ERR_OCI_LIMIT_EXCEEDED',
  });
  const large = ['c.json', Buffer.alloc(9 * 1024 * 1024, 0x20)] as const;
  await assert.rejects(open([large, ['manifest.json', manifest([])]]), { code: 'ERR_OCI_ARCHIVE_INVALID' });
});

test('names of one field in two spellings are refused', async () => {
  const text = '[{"Config":"c.json","config":"d.json"}]';
  await assert.rejects(open([['manifest.json', text]]), { code: 'ERR_OCI_ARCHIVE_INVALID' });
});

test('an image with an impossible name is refused', async () => {
  const text = JSON.stringify([{ Config: 'c.json', RepoTags: ['../../A B'] }]);
  await assert.rejects(
    open([
      ['c.json', config([])],
      ['manifest.json', text],
    ]),
    {
      code: 'ERR_OCI_ARCHIVE_INVALID',
    },
  );
});

test('a digest in the index cannot become a path', async () => {
  const digest = `sha256:../../${'a'.repeat(58)}`;
  const index = { schemaVersion: 2, manifests: [{ mediaType: 'a/b', digest, size: 1 }] };
  await assert.rejects(
    open([
      ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
      ['index.json', JSON.stringify(index)],
    ]),
    { code: 'ERR_OCI_STORE_INVALID' },
  );
});

test('a stream is spooled up to the limit, and nothing stays behind', async () => {
  await using made = await scratch();
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = made.directory;
  try {
    const bytes = gzipSync(Buffer.alloc(3 * 1024 * 1024));
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    const opening = openArchive(source(), { spoolLimit: 1024 * 1024 });
    await assert.rejects(opening, { code: 'ERR_OCI_LIMIT_EXCEEDED' });
    await using archive = await open([
      ['c.json', config([])],
      ['manifest.json', manifest([])],
    ]);
    assert.equal((await archive.entries()).length, 1);
    assert.deepEqual(readdirSync(made.directory), []);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});

test('a file that is no archive is named, and so is what archives are', async () => {
  await using made = await scratch();
  for (const text of ['hello\n', 'x'.repeat(4_000)]) {
    const path = join(made.directory, 'file');
    await writeFile(path, text);
    await assert.rejects(openArchive(path), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_TAR_INVALID'));
      assert.equal(error.message, `${path} is not a tar archive`);
      assert.match(error.hint ?? '', /tar file/);
      return true;
    });
  }
});

test('an archive that is cut off is refused', async () => {
  await using made = await scratch();
  const file = join(made.directory, 'a.tar');
  const bytes = await tarOf([
    ['c.json', config([diffId])],
    ['manifest.json', manifest(['l'])],
    ['l', layer],
  ]);
  await writeFile(file, bytes);
  await truncate(file, bytes.length - 1024 - 512);
  await assert.rejects(openArchive(file), { code: 'ERR_OCI_TAR_INVALID' });
  await writeFile(file, 'this is no archive, but it has more than five hundred bytes'.repeat(20));
  await assert.rejects(openArchive(file), { code: 'ERR_OCI_TAR_INVALID' });
  await assert.rejects(openArchive(made.directory), { code: 'ERR_OCI_ARCHIVE_INVALID' });
});

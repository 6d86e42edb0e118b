import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { extract } from 'tar-stream';
import { collectTar } from './testing/collect.ts';
import { chunksOf, collectBytes } from './testing/streams.ts';
import { type TarWriteEntry, writeTar } from './write-tar.ts';

const time = 1_700_000_000_000_000_000n;
const capability = Buffer.from([1, 0, 0, 2, 0xff, 0xfe, 0, 10, 0x3d, 0x80]);
const longName = `${'directory/'.repeat(20)}file-ü`;

const entries: readonly TarWriteEntry[] = [
  { header: { name: 'd', type: 'directory', mode: 0o1777, mtimeNs: time } },
  { header: { name: 'd/f', mode: 0o4755, uid: 12, gid: 34, mtimeNs: time }, body: Buffer.from('content') },
  {
    header: { name: longName, uid: 3_000_000_000, gid: 500_000, mtimeNs: time + 123_456_789n },
    body: Buffer.alloc(3000, 'x'),
  },
  { header: { name: 'd/l', type: 'link', linkname: 'd/f', mtimeNs: time } },
  {
    header: {
      name: 'd/s',
      type: 'symlink',
      linkname: `../${longName}`,
      mode: 0o777,
      mtimeNs: -2_000_000_000n,
    },
  },
  { header: { name: 'd/p', type: 'fifo', mtimeNs: time } },
  {
    header: {
      name: 'd/c',
      type: 'character-device',
      deviceMajor: 300,
      deviceMinor: 1_000_000,
      mtimeNs: time,
    },
  },
  { header: { name: 'd/x', xattrs: new Map([['security.capability', capability]]), mtimeNs: time } },
];

function missing(command: string): string | false {
  return spawnSync(command, ['--version']).status === 0 ? false : `${command} is not on this machine`;
}

describe('other readers', () => {
  let directory = '';
  let file = '';
  let archive: Buffer = Buffer.alloc(0);

  before(async () => {
    archive = await collectBytes(writeTar(entries));
    directory = await mkdtemp(join(tmpdir(), 'ocijs-tar-'));
    file = join(directory, 'archive.tar');
    await writeFile(file, archive);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('tar', { skip: missing('tar') }, () => {
    const { stdout, stderr, status } = spawnSync(
      'tar',
      ['--numeric-owner', '--utc', '--full-time', '-tvf', file],
      {
        encoding: 'utf8',
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      },
    );
    assert.equal(status, 0, stderr);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' '));
    assert.deepEqual(lines, [
      'drwxrwxrwt 0/0 0 2023-11-14 22:13:20 d/',
      '-rwsr-xr-x 12/34 7 2023-11-14 22:13:20 d/f',
      `-rw-r--r-- 3000000000/500000 3000 2023-11-14 22:13:20.123456789 ${longName}`,
      'hrw-r--r-- 0/0 0 2023-11-14 22:13:20 d/l link to d/f',
      `lrwxrwxrwx 0/0 0 1969-12-31 23:59:58 d/s -> ../${longName}`,
      'prw-r--r-- 0/0 0 2023-11-14 22:13:20 d/p',
      'crw-r--r-- 0/0 300,1000000 2023-11-14 22:13:20 d/c',
      '-rw-r--r-- 0/0 0 2023-11-14 22:13:20 d/x',
    ]);
  });

  test("python's tarfile", { skip: missing('python3') }, () => {
    const script = `
import json, sys, tarfile
out = []
for m in tarfile.open(sys.argv[1]):
    x = m.pax_headers.get('SCHILY.xattr.security.capability', '').encode('utf8', 'surrogateescape').hex()
    out.append([m.name, m.type.decode(), m.mode, m.uid, m.gid, m.size, m.linkname, m.devmajor, m.devminor, x])
print(json.dumps(out))`;
    const { stdout, stderr, status } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), [
      ['d', '5', 0o1777, 0, 0, 0, '', 0, 0, ''],
      ['d/f', '0', 0o4755, 12, 34, 7, '', 0, 0, ''],
      [longName, '0', 0o644, 3_000_000_000, 500_000, 3000, '', 0, 0, ''],
      ['d/l', '1', 0o644, 0, 0, 0, 'd/f', 0, 0, ''],
      ['d/s', '2', 0o777, 0, 0, 0, `../${longName}`, 0, 0, ''],
      ['d/p', '6', 0o644, 0, 0, 0, '', 0, 0, ''],
      ['d/c', '3', 0o644, 0, 0, 0, '', 300, 1_000_000, ''],
      ['d/x', '0', 0o644, 0, 0, 0, '', 0, 0, capability.toString('hex')],
    ]);
  });

  test('tar-stream reads what this parser reads', async () => {
    const reader = extract();
    const feeding = (async () => {
      for (const chunk of chunksOf(archive, 777)) reader.write(chunk);
      reader.end(undefined);
    })();
    const seen: unknown[] = [];
    for await (const entry of reader) {
      const { name, type, mode, size, linkname } = entry.header;
      const chunks: unknown[] = [];
      for await (const chunk of entry) chunks.push(chunk);
      seen.push([name, type, mode, size, linkname ?? '', Buffer.concat(chunks as Buffer[]).toString('hex')]);
    }
    await feeding;
    const own = collectTar(archive).entries.map(({ header, data }) => [
      header.name,
      header.type,
      header.mode,
      header.size,
      header.linkname,
      data.toString('hex'),
    ]);
    assert.deepEqual(seen, own);
  });
});

test('GNU tar writes what this parser reads', { skip: missing('tar') }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-tar-'));
  try {
    const name = `${'n'.repeat(120)}-é`;
    await writeFile(join(directory, name), 'content');
    for (const format of ['gnu', 'posix', 'v7', 'ustar']) {
      const short = format === 'v7' || format === 'ustar' ? 'short' : name;
      await writeFile(join(directory, short), 'content');
      const { stdout, stderr, status } = spawnSync('tar', [
        '-C',
        directory,
        '--owner=0',
        '--group=3000',
        '--numeric-owner',
        '--mtime=@1700000000',
        `--format=${format}`,
        '-cf',
        '-',
        short,
      ]);
      assert.equal(status, 0, String(stderr));
      const { entries, error } = collectTar(stdout, 1000);
      assert.ifError(error);
      assert.partialDeepStrictEqual(entries, [{ data: Buffer.from('content') }]);
      assert.partialDeepStrictEqual(
        entries[0]?.header,
        { name: short, uid: 0, gid: 3000, size: 7, mtimeNs: time },
        format,
      );
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

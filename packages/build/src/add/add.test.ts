import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { compress, readImageTree, writeTar } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import { gitDaemon } from '../testing/git-daemon.ts';
import { scene } from '../testing/scene.ts';

async function archive(
  names: Readonly<Record<string, string>>,
  compression: 'gzip' | 'zstd' | 'none',
): Promise<Buffer> {
  const entries = Object.entries(names).map(([name, text]) =>
    name.endsWith('/')
      ? { header: { name, type: 'directory' as const } }
      : { header: { name, size: text.length, uid: 5, mode: 0o600 }, body: Buffer.from(text) },
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of compress(writeTar(entries), { compression })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Serves one text at every path, and counts. */
async function server(text: string) {
  const requests: string[] = [];
  const http = createServer(({ url = '' }, response) => {
    requests.push(url);
    if (url === '/missing') response.writeHead(404).end();
    else response.writeHead(200, { 'last-modified': 'Sat, 01 Jan 2022 00:00:00 GMT' }).end(text);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose](): Promise<void> {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

describe('ADD', () => {
  for (const compression of ['gzip', 'zstd', 'none'] as const)
    test(`unpacks a local archive: ${compression}`, async () => {
      await using at = await scene({ plain: 'x' });
      const bytes = await archive({ 'd/': '', 'd/f': 'f', '../../up': 'u' }, compression);
      await writeFile(join(at.directory, 'context/a.tar'), bytes);
      const files = await at.files(
        await at.build(
          'FROM scratch\nADD a.tar plain /x/\nADD --chown=1:2 a.tar /y\nADD --unpack=false a.tar /z',
        ),
      );
      assert.deepEqual(files, {
        '': files[''],
        x: 'directory 755 0:0',
        'x/d': 'directory 755 0:0',
        'x/d/f': 'file 600 5:0',
        'x/plain': 'file 644 0:0',
        'x/up': 'file 600 5:0',
        y: 'directory 755 1:2',
        'y/d': 'directory 755 1:2',
        'y/d/f': 'file 600 1:2',
        'y/up': 'file 600 1:2',
        z: 'file 644 0:0',
      });
    });

  test('no link, of the archive or of the image, leads out of the destination', async () => {
    await using at = await scene({ 'base/d/out': '-> /etc', 'base/d/up': '-> ../../..' });
    const entries = [
      { header: { name: 'link', type: 'symlink' as const, linkname: '../../etc' } },
      ...['link/a', 'out/b', 'up/c', '../d', 'loop/x'].map((name) => ({
        header: { name, size: 1 },
        body: Buffer.from('x'),
      })),
    ];
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeTar(entries)) chunks.push(chunk);
    await writeFile(join(at.directory, 'context/a.tar'), Buffer.concat(chunks));
    const files = await at.files(await at.build('FROM scratch\nCOPY base /\nADD a.tar /d/'));
    assert.deepEqual(
      Object.keys(files).filter((path) => path.endsWith('/a') || /^(?:.*\/)?[bcd]$/.test(path)),
      ['d', 'd/c', 'd/d', 'd/etc/a', 'd/etc/b'],
    );
  });

  test('an archive cannot remove files of the image', async () => {
    await using at = await scene();
    await writeFile(join(at.directory, 'context/a.tar'), await archive({ '.wh.etc': '' }, 'none'));
    await assert.rejects(at.build('FROM scratch\nADD a.tar /'), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_ARCHIVE_INVALID'),
    );
  });

  test('a file that is fetched: name, mode, checksum', async () => {
    await using at = await scene();
    await using http = await server('remote');
    const sum = createHash('sha256').update('remote').digest('hex');
    const result = await at.build(
      `FROM scratch\nADD --checksum=sha256:${sum} ${http.url}/a/file.txt?x=1 /d/\nADD ${http.url}/b /named`,
    );
    const files = await at.files(result);
    assert.deepEqual([files['d/file.txt'], files['named']], ['file 600 0:0', 'file 600 0:0']);
    const wrong = `FROM scratch\nADD --checksum=sha256:${'0'.repeat(64)} ${http.url}/a /a`;
    await assert.rejects(at.build(wrong), (error) => isOciError(error, 'ERR_OCI_BUILD_CHECKSUM_MISMATCH'));
    await assert.rejects(at.build(`FROM scratch\nADD ${http.url}/missing /a`), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_BUILD_DOWNLOAD_FAILED'));
      assert.match(error.message, /404/);
      return true;
    });
    await assert.rejects(at.build(`FROM scratch\nCOPY ${http.url}/a /a`), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_SOURCE_NOT_FOUND'),
    );
  });

  test('a git repository, from a directory of it on', async () => {
    await using at = await scene();
    await using git = await gitDaemon(at.directory);
    const result = await at.build(
      `FROM scratch\nADD ${git.url}#main:sub /s/\nADD --keep-git-dir=true ${git.url} /all`,
    );
    const root = await readImageTree(result.image);
    assert.deepEqual([...(root.children?.get('s')?.children?.keys() ?? [])], ['file']);
    assert.deepEqual([...(root.children?.get('all')?.children?.keys() ?? [])].sort(), ['.git', 'sub']);
    await assert.rejects(at.build(`FROM scratch\nADD --checksum=0000 ${git.url} /s/`), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_CHECKSUM_MISMATCH'),
    );
    await assert.rejects(at.build(`FROM scratch\nADD ${git.url}#gone /s/`), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_DOWNLOAD_FAILED'),
    );
  });
});

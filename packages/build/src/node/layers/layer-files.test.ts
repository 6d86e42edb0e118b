import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLayeredTree } from '@ocijs/bundle';
import { writeTar } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import { nodeLayer } from './layer-files.ts';
import { walkFiles } from './walk-files.ts';

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('files that change while they are read make no layer', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-layer-'));
  try {
    await writeFile(join(directory, 'a'), 'one');
    await writeFile(join(directory, 'b'), '');
    using tree = openLayeredTree([directory], 'trusted');
    const files = walkFiles(tree, '.', { within: '.', leavesOut: () => false });
    const layer = nodeLayer(files, { root: { tree, label: 'the project' }, prefix: 'app', time: 1 });
    const digest = await layer.digest({});
    const archive = await read(writeTar(layer.entries({})));
    assert.ok(archive.includes('one'));
    assert.equal(await layer.digest({}), digest);
    await writeFile(join(directory, 'a'), 'two');
    await assert.rejects(read(writeTar(layer.entries({}))), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_FILE_UNREADABLE'),
    );
    assert.notEqual(await layer.digest({}), digest);
  } finally {
    await rm(directory, { recursive: true });
  }
});

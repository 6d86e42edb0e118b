import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { unpack } from '@ocijs/bundle';
import { digestBytes, isOciError, openArchive, openStore, type TarWriteEntry } from '@ocijs/image';
import { load } from '@ocijs/registry';
import { missing } from '../../kit/requirements.ts';
import { arena, file, link, symlink, tarOf } from './arena.ts';

const skip = missing({ root: true });

interface DockerArchive {
  readonly layer: Buffer;
  /** What stands for the layer in the archive; the layer itself unless given. */
  readonly members?: readonly TarWriteEntry[];
  readonly tags?: readonly string[];
}

async function dockerArchive({ layer, members, tags = ['evil:1'] }: DockerArchive): Promise<Buffer> {
  const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
  const rootfs = { type: 'layers', diff_ids: [digestBytes(layer)] };
  const manifest = [{ Config: 'config.json', RepoTags: tags, Layers: ['layer.tar'] }];
  return tarOf([
    file('manifest.json', JSON.stringify(manifest)),
    file('config.json', JSON.stringify({ ...platform, config: {}, rootfs })),
    ...(members ?? [{ header: { name: 'layer.tar' }, body: layer }]),
  ]);
}

describe('attack 34: archives that reach for files or names (CVE-2026-50195, CVE-2026-53489)', {
  skip,
}, () => {
  test('a member that is a link to a file of the host is none', async () => {
    const layer = await tarOf([file('x')]);
    for (const make of [symlink, link]) {
      await using at = await arena();
      await writeFile(join(dirname(at.target), 'outside', 'canary'), 'nobody may read or write this');
      const path = join(dirname(at.target), 'layout');
      const members = [make('layer.tar', join(at.outside, 'canary'))];
      await writeFile(path, await dockerArchive({ layer, members }));
      const outcome = (async () => {
        await using archive = await openArchive(path, { format: 'docker' });
        const [first] = await archive.list();
        assert.ok(first);
        return unpack(await archive.image(first.descriptor), at.target);
      })();
      await assert.rejects(outcome, isOciError);
    }
  });

  test('unpacking an archive gives no name to anything', async () => {
    await using at = await arena();
    const directory = dirname(at.target);
    const path = join(directory, 'layout');
    const layer = await tarOf([file('x')]);
    await writeFile(path, await dockerArchive({ layer, tags: ['docker.io/library/debian:latest'] }));
    await using archive = await openArchive(path, { format: 'docker' });
    const [first] = await archive.list();
    assert.ok(first);
    await unpack(await archive.image(first.descriptor), at.target);
    await at.check();
  });

  test('loading one says which names it gave, and gives no others', async () => {
    await using at = await arena();
    const path = join(dirname(at.target), 'layout');
    const layer = await tarOf([file('x')]);
    await writeFile(path, await dockerArchive({ layer, tags: ['debian:latest', 'app:1'] }));
    await using store = await openStore(at.target);
    const reports = await load(path, { store });
    const names = (await store.list()).map(({ name }) => name).sort();
    assert.deepEqual(names, ['docker.io/library/app:1', 'docker.io/library/debian:latest']);
    const told = JSON.stringify(reports);
    for (const name of names) assert.ok(told.includes(name), `${name} is told`);
  });
});

import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { formatPlatform } from '../platform/parse.ts';
import { scratch } from '../store/scratch.testkit.ts';
import { selectImage } from '../transport/select-image.ts';
import { validateImage } from '../validate/validate-image.ts';
import { type ArchiveFormat, openArchive } from './open-archive.ts';

/** What skopeo says of one form of an archive. */
interface Expectation {
  readonly diffIDs?: readonly string[] | null;
  readonly platform?: string;
  readonly refused?: string;
}
type Expected = Readonly<Record<'docker-archive' | 'oci-archive', Expectation | undefined>>;

const archives = fileURLToPath(new URL('../../test/testdata/archives/', import.meta.url));
const expected = JSON.parse(readFileSync(`${archives}expected.json`, 'utf8')) as Record<string, Expected>;

for (const [name, facts] of Object.entries(expected)) {
  for (const format of ['docker', 'oci'] satisfies ArchiveFormat[]) {
    const wanted = facts[`${format}-archive`];
    if (wanted === undefined || name.endsWith('.xz')) continue;
    const outcome = wanted.refused === undefined ? 'reads' : 'refuses';
    test(`${outcome} ${name} as ${format} archive, like skopeo`, async () => {
      const open = async (): Promise<void> => {
        await using archive = await openArchive(archives + name, { format });
        const [first] = await archive.entries();
        const image = await archive.image(first ?? (await selectImage(archive)));
        assert.deepEqual(image.config.rootfs.diff_ids, wanted.diffIDs ?? []);
        assert.equal(formatPlatform(image.platform), wanted.platform);
        assert.deepEqual(await validateImage(image), []);
      };
      if (wanted.refused === undefined) await open();
      else await assert.rejects(open, /ERR_OCI_|no image/);
    });
  }
}

test('an xz archive is refused with what to do about it', async () => {
  await assert.rejects(openArchive(`${archives}libimage-docker-two-names.tar.xz`), {
    code: 'ERR_OCI_COMPRESSION_UNSUPPORTED',
    hint: /xz -dc/,
  });
});

test('an image of several is chosen by name, short or full, or by its place', async () => {
  await using archive = await openArchive(`${archives}ggcr-test_bundle.tar`);
  await assert.rejects(selectImage(archive), { code: 'ERR_OCI_IMAGE_NOT_FOUND', hint: /test_image_2/ });
  const byName = await selectImage(archive, { name: 'test_image_1' });
  assert.equal(byName, await archive.resolve('docker.io/library/test_image_1:latest'));
  assert.equal(byName.digest, (await selectImage(archive, { position: 1 })).digest);
  await assert.rejects(selectImage(archive, { position: 2 }), { code: 'ERR_OCI_IMAGE_NOT_FOUND' });
});

test('a layout without images gives way to the manifest.json beside it', async () => {
  await using archive = await openArchive(`${archives}ggcr-hello-world-v25.tar`);
  assert.equal((await archive.entries()).length, 1);
});

for (const [name, compress] of Object.entries({ gzip: gzipSync, zstd: zstdCompressSync })) {
  test(`the archive as it is, in ${name} and from a stream is the same`, async () => {
    await using made = await scratch();
    const plain = `${archives}jib-docker-save.tar`;
    const wrapped = join(made.directory, 'wrapped');
    await writeFile(wrapped, compress(await readFile(plain)));
    const digests = new Set<string>();
    for (const input of [plain, wrapped, createReadStream(plain), createReadStream(wrapped)]) {
      await using archive = await openArchive(input);
      const image = await archive.image(await selectImage(archive));
      assert.deepEqual(await validateImage(image), []);
      digests.add(image.descriptor.digest);
    }
    assert.equal(digests.size, 1);
  });
}

test('what does not exist is named', async () => {
  await assert.rejects(openArchive('/nowhere/a.tar'), {
    code: 'ERR_OCI_ARCHIVE_FAILED',
    message: '/nowhere/a.tar does not exist',
  });
});

test('an aborted opening rejects with the reason', async () => {
  const reason = new Error('enough');
  await assert.rejects(
    openArchive(`${archives}jib-docker-save.tar`, { signal: AbortSignal.abort(reason) }),
    reason,
  );
});

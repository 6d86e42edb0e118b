import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { unpack } from '@ocijs/bundle';
import { digestBytes, isOciError, MediaType } from '@ocijs/image';
import { pullArtifact, remoteImage } from '@ocijs/registry';
import { startTestRegistry, type TestRegistry } from '@ocijs/registry/testing';
import { missing } from '../../kit/requirements.ts';
import { temporaryDirectory } from '../../kit/temporary.ts';
import { file, tarOf } from '../layers/arena.ts';

const title = 'org.opencontainers.image.title';
const hostile = ['../outside/new', '../outside/canary', 'link/canary', 'link/new', 'canary'];
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A manifest in whose layers' titles a path leads out; an image, or an artifact of any files. */
async function push(
  { store, host }: TestRegistry,
  { titles, isImage }: { readonly titles: readonly string[]; readonly isImage: boolean },
): Promise<string> {
  const layers = [];
  const tars = [];
  for (const [index, text] of titles.entries()) {
    const bytes = await tarOf([file(`f${index}`)]);
    tars.push(bytes);
    const layer = await store.put(bytes, { mediaType: isImage ? MediaType.layer : 'text/plain' });
    layers.push({ ...layer, annotations: { [title]: text, 'io.containerd.x': text } });
  }
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const rootfs = { type: 'layers', diff_ids: tars.map((bytes) => digestBytes(bytes)) };
  const configType = isImage ? MediaType.config : MediaType.empty;
  const config = await store.put(json(isImage ? { os: 'linux', architecture, rootfs } : {}), {
    mediaType: configType,
  });
  const { manifest: mediaType } = MediaType;
  const kind = isImage ? {} : { artifactType: 'application/x.test' };
  const descriptor = await store.put(json({ schemaVersion: 2, mediaType, ...kind, config, layers }), {
    mediaType,
  });
  await store.tag('evil:1', descriptor);
  return `${host}/evil:1`;
}

/** A target with a link in it that leads to the canary. */
async function place() {
  const temporary = await temporaryDirectory();
  const [target, outside] = [join(temporary.path, 'target'), join(temporary.path, 'outside')];
  for (const path of [target, outside]) await mkdir(path);
  await writeFile(join(outside, 'canary'), 'alive');
  await symlink(outside, join(target, 'link'));
  await symlink(join(outside, 'canary'), join(target, 'canary'));
  const check = async (): Promise<void> => {
    assert.deepEqual(await readdir(outside), ['canary']);
    assert.equal(await readFile(join(outside, 'canary'), 'utf8'), 'alive');
    assert.deepEqual(
      (await readdir(target)).filter((name) => name !== 'link' && name !== 'canary'),
      [],
    );
  };
  return {
    target,
    path: temporary.path,
    check,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

describe('attack 4: paths in annotations, and links where they lead (GHSA-8xwf-rjm4-xvhv, CVE-2025-62725)', () => {
  for (const text of hostile) {
    test(`an artifact with the title ${text} is not written`, async () => {
      await using registry = await startTestRegistry({});
      await using at = await place();
      const name = await push(registry, { titles: ['good', text], isImage: false });
      await assert.rejects(pullArtifact(name, at.target, { env: {} }), (error) => isOciError(error));
      await at.check();
    });
  }

  test('of an image they are data, and nothing is made of them', {
    skip: missing({ root: true }),
  }, async () => {
    await using registry = await startTestRegistry({});
    await using at = await place();
    const name = await push(registry, { titles: hostile, isImage: true });
    await using image = await remoteImage(name, { env: {} });
    const { rootfs } = await unpack(image, join(at.path, 'bundle'));
    assert.deepEqual(
      (await readdir(rootfs)).sort(),
      hostile.map((_, index) => `f${index}`),
    );
    await at.check();
  });
});

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { createLayout, type Digest, MediaType } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from './index.ts';

const skip = spawnSync('skopeo', ['--version']).status === 0 ? false : 'skopeo is not installed';
const run = promisify(execFile);
const sha256 = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

describe('embedded registry with skopeo', { skip }, () => {
  let directory: string;
  let registry: RunningRegistry;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-skopeo-test-'));
    registry = await startRegistry({ directory: join(directory, 'served') });
    await makeImage(join(directory, 'source'));
  });
  after(async () => {
    await registry.close();
    await rm(directory, { recursive: true });
  });

  test('a pushed image comes back the same', async () => {
    const remote = `docker://${registry.host}/team/app:v1`;
    const source = `oci:${join(directory, 'source')}:latest`;
    await run('skopeo', ['copy', '-q', '--dest-tls-verify=false', source, remote]);
    const { stdout: tags } = await run('skopeo', [
      'list-tags',
      '--tls-verify=false',
      remote.replace(/:v1$/, ''),
    ]);
    assert.deepEqual((JSON.parse(tags) as { Tags: string[] }).Tags, ['v1']);
    await run('skopeo', [
      'copy',
      '-q',
      '--src-tls-verify=false',
      remote,
      `oci:${join(directory, 'back')}:v1`,
    ]);
    const raw = async (image: string): Promise<string> =>
      (await run('skopeo', ['inspect', '--raw', '--tls-verify=false', image])).stdout;
    assert.equal(await raw(`oci:${join(directory, 'back')}:v1`), await raw(source));
    assert.equal(await raw(remote), await raw(source));
    const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', remote]);
    assert.equal((JSON.parse(stdout) as { Architecture: string }).Architecture, 'amd64');
  });

  test('an image in Docker format is taken and served too', async () => {
    const remote = `docker://${registry.host}/team/docker:v1`;
    const source = `oci:${join(directory, 'source')}:latest`;
    await run('skopeo', ['copy', '-q', '--format', 'v2s2', '--dest-tls-verify=false', source, remote]);
    const { stdout } = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', remote]);
    assert.equal((JSON.parse(stdout) as { mediaType: string }).mediaType, MediaType.dockerManifest);
  });

  test('what skopeo put into the layout is served as it is', async () => {
    await using second = await startRegistry({ directory: join(directory, 'source'), readOnly: true });
    const { stdout } = await run('skopeo', [
      'inspect',
      '--tls-verify=false',
      `docker://${second.host}/source:latest`,
    ]);
    assert.equal((JSON.parse(stdout) as { Os: string }).Os, 'linux');
  });
});

/** One empty layer and one that takes several chunks. */
async function makeImage(directory: string): Promise<void> {
  await using store = await createLayout(directory);
  const tars = [Buffer.alloc(1024), randomBytes(3 * 1024 * 1024)];
  const layers = await Promise.all(
    tars.map((tar) => store.put(gzipSync(tar), { mediaType: MediaType.layerGzip })),
  );
  const configuration = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: tars.map(sha256) },
  };
  const config = await store.put(Buffer.from(JSON.stringify(configuration)), { mediaType: MediaType.config });
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers };
  await store.tag(
    'latest',
    await store.put(Buffer.from(JSON.stringify(manifest)), { mediaType: MediaType.manifest }),
  );
}

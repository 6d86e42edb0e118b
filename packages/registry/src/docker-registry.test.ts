import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isOciError, type OciEvent } from '@ocijs/image';
import {
  missingDockerRegistry,
  missingHtpasswd,
  missingSkopeo,
  startDockerRegistry,
} from './docker-registry.testkit.ts';
import { makeImage, makeIndex, temporaryDirectory, temporaryStore } from './images.testkit.ts';
import { createRegistryClient, listTags, pull, push, remoteImage, resolveRemote } from './index.ts';

const run = promisify(execFile);
const user = { username: 'someone', password: 'päss:word' };
const env = { HOME: '/nonexistent' };

test('push and pull through docker-registry', { skip: missingDockerRegistry }, async () => {
  await using registry = await startDockerRegistry();
  await using source = await temporaryStore();
  const manifest = await makeImage(source.store);
  const name = `${registry.host}/test/image:one`;
  await source.store.tag(name, manifest);

  const first = await push(name, undefined, { store: source.store, env });
  assert.deepEqual(
    first.blobs.map(({ status }) => status),
    ['pushed', 'pushed', 'pushed'],
  );
  assert.equal(first.digest, manifest.digest);
  const second = await push(name, `${registry.host}/test/image:two`, { store: source.store, env });
  assert.ok(second.blobs.every(({ status }) => status === 'exists'));
  assert.equal(second.bytesPushed, 0);

  await using target = await temporaryStore();
  const image = await pull(name, { store: target.store, env });
  assert.equal(image.report.digest, manifest.digest);
  assert.equal(image.name, name);
  assert.equal(image.platform.architecture, 'amd64');
  assert.ok(image.report.blobs.every(({ status }) => status === 'fetched'));
  assert.equal((await target.store.resolve(name))?.digest, manifest.digest);
  for (const layer of image.manifest.layers) {
    let size = 0;
    for await (const chunk of image.openBlob(layer)) size += chunk.length;
    assert.equal(size, layer.size);
  }
  const again = await pull(name, { store: target.store, env });
  assert.ok(again.report.blobs.every(({ status }) => status === 'reused'));
  assert.equal(again.report.bytesFetched, 0);

  assert.deepEqual((await listTags(`${registry.host}/test/image`, { env })).sort(), ['one', 'two']);
  assert.deepEqual(await resolveRemote(name, { env }), manifest);
});

test('layers are mounted from the repository the image came from', {
  skip: missingDockerRegistry,
}, async () => {
  await using registry = await startDockerRegistry();
  await using source = await temporaryStore();
  const name = `${registry.host}/library/base:1`;
  await source.store.tag(name, await makeImage(source.store));
  await push(name, undefined, { store: source.store, env });
  const report = await push(name, `${registry.host}/other/place:1`, { store: source.store, env });
  assert.ok(report.blobs.every(({ status }) => status === 'mounted'));
});

test('an index with two platforms, whole and in part', { skip: missingDockerRegistry }, async () => {
  await using registry = await startDockerRegistry();
  await using source = await temporaryStore();
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const s390x = { os: 'linux', architecture: 's390x' };
  const index = await makeIndex(source.store, [
    { descriptor: await makeImage(source.store, { platform: amd64, seed: 1 }), platform: amd64 },
    { descriptor: await makeImage(source.store, { platform: s390x, seed: 2 }), platform: s390x },
  ]);
  const name = `${registry.host}/multi:latest`;
  await source.store.tag(name, index);
  const report = await push(name, undefined, { store: source.store, env });
  assert.equal(report.digest, index.digest);
  assert.equal(report.blobs.length, 6);
  assert.equal(report.platform, undefined);

  await using part = await temporaryStore();
  const image = await pull(name, { store: part.store, platform: s390x, env });
  assert.equal(image.platform.architecture, 's390x');
  assert.equal(image.report.digest, index.digest);
  assert.equal(image.report.blobs.length, 3);

  const events: OciEvent[] = [];
  const again = await push(name, `${registry.host}/single:1`, {
    store: part.store,
    env,
    onEvent: (event) => events.push(event),
  });
  assert.equal(again.digest, image.descriptor.digest);
  assert.deepEqual(again.platform, s390x);
  assert.ok(events.some((event) => event.type === 'warning' && event.code === 'INDEX_INCOMPLETE'));
  await assert.rejects(
    push(name, `${registry.host}/single:1`, { store: part.store, allPlatforms: true, env }),
    {
      code: 'ERR_OCI_REGISTRY_INCOMPLETE',
    },
  );

  await using whole = await temporaryStore();
  const all = await pull(name, { store: whole.store, allPlatforms: true, env });
  assert.equal(all.report.blobs.length, 6);
  await assert.rejects(
    pull(name, { store: whole.store, platform: { os: 'linux', architecture: 'riscv64' }, env }),
    {
      code: 'ERR_OCI_PLATFORM_NOT_FOUND',
    },
  );
});

test('basic authentication', { skip: missingHtpasswd }, async () => {
  await using registry = await startDockerRegistry({ user });
  await using source = await temporaryStore();
  await using directory = await temporaryDirectory();
  const name = `${registry.host}/private:1`;
  await source.store.tag(name, await makeImage(source.store));
  const { store } = source;
  await assert.rejects(push(name, undefined, { store, env }), (error) => {
    assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAUTHORIZED'));
    assert.match(error.hint ?? '', /oci login/);
    return true;
  });
  const wrong = { username: user.username, password: 'wr0ng-secret' };
  await assert.rejects(push(name, undefined, { store, env, credentials: wrong }), (error) => {
    assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_UNAUTHORIZED'));
    assert.doesNotMatch(JSON.stringify([error.message, error.facts, error.hint]), /wr0ng/);
    return true;
  });
  await push(name, undefined, { store, env, credentials: user });

  const authFile = join(directory.path, 'auth.json');
  const auth = Buffer.from(`${user.username}:${user.password}`).toString('base64');
  await writeFile(authFile, JSON.stringify({ auths: { [registry.host]: { auth } } }));
  assert.deepEqual(await listTags(`${registry.host}/private`, { authFile, env }), ['1']);
  await using remote = await remoteImage(name, { env: { ...env, REGISTRY_AUTH_FILE: authFile } });
  assert.equal(remote.manifest.layers.length, 2);
});

test('skopeo reads what is pushed, and what skopeo pushed is pulled', { skip: missingSkopeo }, async () => {
  await using registry = await startDockerRegistry();
  await using source = await temporaryStore();
  await using directory = await temporaryDirectory();
  const manifest = await makeImage(source.store);
  await source.store.tag('image', manifest);
  await push('image', `${registry.host}/ours:1`, { store: source.store, env });
  const { stdout } = await run('skopeo', [
    'inspect',
    '--tls-verify=false',
    `docker://${registry.host}/ours:1`,
  ]);
  assert.equal((JSON.parse(stdout) as { Digest: string }).Digest, manifest.digest);

  const copy = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false', '-q'];
  const theirs = `${registry.host}/theirs:2`;
  await run('skopeo', [...copy, '-f', 'v2s2', `docker://${registry.host}/ours:1`, `docker://${theirs}`]);
  await using target = await temporaryStore();
  const image = await pull(theirs, { store: target.store, env });
  assert.equal(image.descriptor.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
  const layout = `oci:${source.path}:image`;
  await run('skopeo', [...copy, layout, `docker://${registry.host}/layout:3`]);
  assert.equal((await resolveRemote(`${registry.host}/layout:3`, { env })).digest, manifest.digest);
  await pull(`${registry.host}/layout:3`, { store: target.store, env });
  await run('skopeo', [
    'copy',
    '-q',
    `oci:${target.path}:${registry.host}/layout:3`,
    `dir:${directory.path}/out`,
  ]);
});

test('an aborted upload leaves no blob, and the next one succeeds', {
  skip: missingDockerRegistry,
}, async () => {
  await using registry = await startDockerRegistry();
  await using source = await temporaryStore();
  const manifest = await makeImage(source.store, { layers: [30_000_000] });
  const image = await source.store.image(manifest, { platform: { os: 'linux', architecture: 'amd64' } });
  const [layer] = image.manifest.layers;
  assert.ok(layer !== undefined);
  const controller = new AbortController();
  const reason = new Error('enough');
  await using client = createRegistryClient(registry.host, { env });
  async function* slow(): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for await (const chunk of source.store.read(layer as typeof manifest)) {
      yield chunk;
      sent += chunk.length;
      if (sent > 1_000_000) controller.abort(reason);
    }
  }
  await assert.rejects(
    client.uploadBlob('repo', layer, { open: slow, signal: controller.signal }),
    (error) => error === reason,
  );
  assert.equal(await client.hasBlob('repo', layer), false);
  assert.equal(await client.uploadBlob('repo', layer, { open: () => source.store.read(layer) }), 'pushed');
  let size = 0;
  for await (const chunk of client.getBlob('repo', layer)) size += chunk.length;
  assert.equal(size, layer.size);
});

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Descriptor, digestBytes, encodeJson, isOciError, MediaType } from '@ocijs/image';
import { missingDockerRegistry, startDockerRegistry } from './docker-registry.testkit.ts';
import { type FaultRegistry, startFaultRegistry } from './fault-registry.testkit.ts';
import { makeImage, type TemporaryDirectory, temporaryDirectory, temporaryStore } from './images.testkit.ts';
import { attachArtifact, deleteReference, listReferrers, listTags, pullArtifact, push } from './index.ts';
import { startRegistry } from './server/index.ts';

const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 1 };
const artifactType = 'application/vnd.example.report+json';

async function files(
  directory: TemporaryDirectory,
): Promise<{ path: string; mediaType?: string; title?: string }[]> {
  await writeFile(join(directory.path, 'report.json'), '{"ok":true}');
  await writeFile(join(directory.path, 'notes.txt'), 'notes\n');
  return [
    { path: join(directory.path, 'report.json'), mediaType: 'application/json' },
    { path: join(directory.path, 'notes.txt'), title: 'docs/notes.txt' },
  ];
}

async function roundTrip(host: string, source: 'api' | 'tag'): Promise<void> {
  await using local = await temporaryStore();
  const { store } = local;
  const name = `${host}/team/image:1`;
  const image = await makeImage(store);
  await push(image, name, { ...options, store });
  assert.deepEqual((await listReferrers(name, options)).referrers, []);

  await using directory = await temporaryDirectory();
  const annotations = { 'org.example.note': 'ä' };
  const made = await files(directory);
  const report = await attachArtifact(name, made, { ...options, artifactType, annotations });
  assert.equal(report.listedBy, source);
  assert.equal(report.subject.digest, image.digest);
  const again = await attachArtifact(name, made, { ...options, artifactType, annotations });
  assert.equal(again.descriptor.digest, report.descriptor.digest);
  assert.ok(again.blobs.every(({ status }) => status === 'exists'));
  const signature = await attachArtifact(report.reference, [], {
    ...options,
    artifactType: 'application/vnd.example.signature',
    annotations: { 'org.example.signature': 'AAAA' },
  });

  const tree = await listReferrers(name, { ...options, depth: 5 });
  assert.equal(tree.source, source);
  const { mediaType, digest, size } = report.descriptor;
  assert.deepEqual(
    tree.referrers.map((node) => node.descriptor),
    [{ mediaType, digest, size, artifactType, annotations }],
  );
  assert.deepEqual(
    tree.referrers[0]?.referrers?.map((node) => node.descriptor.digest),
    [signature.descriptor.digest],
  );
  assert.equal((await listReferrers(name, { ...options, artifactType })).referrers.length, 1);
  assert.deepEqual((await listReferrers(name, { ...options, artifactType: 'a/b' })).referrers, []);

  const target = join(directory.path, 'out');
  const pulled = await pullArtifact(report.reference, target, options);
  assert.deepEqual(
    pulled.files.map(({ path }) => path),
    [join(target, 'report.json'), join(target, 'docs/notes.txt')],
  );
  assert.equal(await readFile(join(target, 'docs/notes.txt'), 'utf8'), 'notes\n');
  assert.deepEqual((await readdir(target)).sort(), ['docs', 'report.json']);

  await deleteReference(report.reference, options);
  assert.deepEqual((await listReferrers(name, options)).referrers, []);
  assert.ok((await listTags(`${host}/team/image`, options)).includes('1'));
}

describe('artifacts are attached, listed, fetched and deleted', () => {
  test('in docker-registry, by the fall-back tag', { skip: missingDockerRegistry }, async () => {
    await using registry = await startDockerRegistry();
    await roundTrip(registry.host, 'tag');
  });

  test('in the embedded registry, by the API', async () => {
    await using served = await temporaryStore();
    await using registry = await startRegistry({ store: served.store });
    await roundTrip(registry.host, 'api');
  });
});

test('pushing a manifest with a subject enters it into the fall-back tag', async () => {
  await using registry = await startFaultRegistry();
  await using local = await temporaryStore();
  const { store } = local;
  const subject = await makeImage(store);
  const config = await store.put(Buffer.from('{}'), { mediaType: 'application/vnd.example.config' });
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [config], subject };
  const referrer = await store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
  await push(subject, `${registry.host}/a:1`, { ...options, store });
  await push(referrer, `${registry.host}/a:2`, { ...options, store });
  const { referrers, source } = await listReferrers(`${registry.host}/a:1`, options);
  assert.equal(source, 'tag');
  assert.deepEqual(
    referrers.map((node) => node.descriptor),
    [{ ...referrer, artifactType: config.mediaType }],
  );
});

test('an entry that another client overwrites is written again', async () => {
  await using registry = await startFaultRegistry(({ method, path, count }) => {
    // The other client's index arrives between our writing and our reading it back.
    const isReadBack = method === 'GET' && path.includes('/manifests/sha256-') && count === 2;
    if (isReadBack) put(registry, { name: tagOf(path), bytes: theirs });
    return false;
  });
  const other: Descriptor = { mediaType: MediaType.manifest, digest: digestBytes(Buffer.from('x')), size: 1 };
  const theirs = encodeJson({ schemaVersion: 2, mediaType: MediaType.index, manifests: [other] });
  await using directory = await temporaryDirectory();
  const subject = put(registry, { name: 'a:1', bytes: imageBytes });
  const report = await attachArtifact(`${registry.host}/a:1`, await files(directory), {
    ...options,
    artifactType,
  });
  const { referrers } = await listReferrers(`${registry.host}/a@${subject}`, options);
  const digests = referrers.map((node) => node.descriptor.digest);
  assert.deepEqual(digests, [other.digest, report.descriptor.digest]);
});

const imageBytes = encodeJson({
  schemaVersion: 2,
  mediaType: MediaType.manifest,
  config: { mediaType: MediaType.config, digest: digestBytes(Buffer.from('{}')), size: 2 },
  layers: [],
});

function tagOf(path: string): string {
  return `a:${path.split('/').at(-1)}`;
}

function put(registry: FaultRegistry, { name, bytes }: { name: string; bytes: Uint8Array }): string {
  const digest = digestBytes(bytes);
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString()) as { mediaType: string };
  for (const key of [name, `a:${digest}`]) registry.manifests.set(key, { bytes, mediaType });
  return digest;
}

describe('a hostile list of referrers', () => {
  const answer = (manifests: readonly unknown[], link?: string): [Record<string, string>, string] => [
    { 'content-type': MediaType.index, ...(link === undefined ? {} : { link }) },
    JSON.stringify({ schemaVersion: 2, mediaType: MediaType.index, manifests }),
  ];
  const hex = (letter: string): string => `sha256:${letter.repeat(64)}`;
  const entry = (letter: string): object => ({ mediaType: MediaType.manifest, digest: hex(letter), size: 5 });

  async function listing(
    respond: (path: string) => [Record<string, string>, string],
    depth = 1,
  ): Promise<{ result: ReturnType<typeof listReferrers>; requests: FaultRegistry['requests'] }> {
    await using registry = await startFaultRegistry(({ path }, response) => {
      if (!path.includes('/referrers/')) return false;
      const [headers, body] = respond(path);
      response.writeHead(200, headers).end(body);
      return true;
    });
    put(registry, { name: 'a:1', bytes: imageBytes });
    const result = listReferrers(`${registry.host}/a:1`, { ...options, depth });
    await result.catch(() => undefined);
    return { result, requests: registry.requests };
  }

  test('cannot make a circle of referrers', async () => {
    const { result, requests } = await listing(
      (path) => answer([entry(path.endsWith('a') ? 'b' : 'a'), entry('c')]),
      8,
    );
    assert.equal((await result).referrers.length, 2);
    assert.ok(requests.length <= 5, `${requests.length} requests`);
  });

  test('cannot make a circle of pages', async () => {
    const { result } = await listing(() => answer([entry('a')], '<?page=1>; rel="next"'));
    await assert.rejects(result, { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
  });

  test('cannot go on for ever', async () => {
    let page = 0;
    const { result, requests } = await listing(() => answer([entry('a')], `<?page=${++page}>; rel="next"`));
    await assert.rejects(result, { code: 'ERR_OCI_LIMIT_EXCEEDED' });
    assert.ok(requests.length < 110);
  });

  test('is cut at a thousand that are followed', async () => {
    let count = 0;
    const many = (): object[] =>
      Array.from({ length: 200 }, () => ({
        mediaType: MediaType.manifest,
        digest: digestBytes(Buffer.from(String(++count))),
        size: 5,
      }));
    const { result, requests } = await listing(() => answer(many()), 8);
    await result;
    assert.ok(requests.length <= 1_003, `${requests.length} requests`);
  });

  test('cannot go on at another host', async () => {
    const { result } = await listing(() => answer([], '<http://127.0.0.2:1/v2/a/referrers/x>; rel="next"'));
    await assert.rejects(result, { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
  });

  test('that is a page of HTML is none, and the fall-back tag holds', async () => {
    const { result } = await listing(() => [{ 'content-type': 'text/html' }, '<html>']);
    assert.equal((await result).source, 'tag');
  });
});

describe("an artifact's titles", () => {
  async function pullTitles(
    titles: readonly string[],
    prepare: (directory: string) => Promise<void> = async () => undefined,
  ): Promise<{ pulled: ReturnType<typeof pullArtifact>; entries: string[]; outside: string[] }> {
    await using registry = await startFaultRegistry();
    await using directory = await temporaryDirectory();
    const target = join(directory.path, 'target');
    await mkdir(target);
    await prepare(target);
    const content = Buffer.from('content');
    const layer = { mediaType: 'text/plain', digest: digestBytes(content), size: content.length };
    registry.blobs.set(layer.digest, content);
    const layers = titles.map((title) => ({
      ...layer,
      annotations: { 'org.opencontainers.image.title': title },
    }));
    const config = { mediaType: MediaType.empty, digest: digestBytes(Buffer.from('{}')), size: 2 };
    const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, artifactType, config, layers };
    put(registry, { name: 'a:1', bytes: encodeJson(manifest) });
    const pulled = pullArtifact(`${registry.host}/a:1`, target, options);
    await pulled.catch(() => undefined);
    return {
      pulled,
      entries: (await readdir(target, { recursive: true })).sort(),
      outside: (await readdir(directory.path)).sort(),
    };
  }

  const refused = [
    '../x',
    '/etc/x',
    'a/../../x',
    '.',
    '..',
    '',
    'a//b',
    'a/',
    './a',
    '\\x',
    '..\\x',
    'C:x',
    'a\0b',
    'a\nb',
    `${'a'.repeat(300)}`,
    `${'a/'.repeat(600)}a`,
  ];
  for (const title of refused) {
    test(`${JSON.stringify(title.slice(0, 40))} is refused, and nothing is written`, async () => {
      const { pulled, entries, outside } = await pullTitles(['good', title]);
      await assert.rejects(pulled, (error) => isOciError(error, 'ERR_OCI_REGISTRY_ARTIFACT_INVALID'));
      assert.deepEqual([entries, outside], [[], ['target']]);
    });
  }

  for (const titles of [
    ['a', 'a'],
    ['a', 'a/b'],
    ['a/b/c', 'a'],
  ]) {
    test(`${titles.join(' and ')} exclude each other`, async () => {
      const { pulled, entries } = await pullTitles(titles);
      await assert.rejects(pulled, { code: 'ERR_OCI_REGISTRY_ARTIFACT_INVALID' });
      assert.deepEqual(entries, []);
    });
  }

  test('lead through no symbolic link that lies in the directory', async () => {
    const { pulled, entries, outside } = await pullTitles(['first', 'link/x'], async (target) => {
      await mkdir(join(target, '../elsewhere'));
      await symlink('../elsewhere', join(target, 'link'));
    });
    await assert.rejects(pulled, { code: 'ERR_OCI_REGISTRY_ARTIFACT_EXISTS' });
    assert.deepEqual([entries, outside], [['link'], ['elsewhere', 'target']]);
  });

  test('replace no file, and follow no link in its place', async () => {
    await using directory = await temporaryDirectory();
    const precious = join(directory.path, 'precious');
    await writeFile(precious, 'precious');
    const { pulled } = await pullTitles(['a', 'x'], (target) => symlink(precious, join(target, 'x')));
    await assert.rejects(pulled, { code: 'ERR_OCI_REGISTRY_ARTIFACT_EXISTS' });
    assert.equal(await readFile(precious, 'utf8'), 'precious');
  });
});

test('overwriting replaces a link and not its target; wrong bytes never get a name', async () => {
  await using served = await temporaryStore();
  await using registry = await startRegistry({ store: served.store });
  await using local = await temporaryStore();
  await using directory = await temporaryDirectory();
  const name = `${registry.host}/image:1`;
  await push(await makeImage(local.store), name, { ...options, store: local.store });
  const { reference } = await attachArtifact(name, await files(directory), { ...options, artifactType });
  const target = join(directory.path, 'out');
  const precious = join(directory.path, 'precious');
  await writeFile(precious, 'precious');
  await mkdir(target);
  await symlink(precious, join(target, 'report.json'));
  await pullArtifact(reference, target, { ...options, overwrite: true });
  assert.equal(await readFile(precious, 'utf8'), 'precious');
  assert.equal(await readFile(join(target, 'report.json'), 'utf8'), '{"ok":true}');

  const blob = digestBytes(Buffer.from('notes\n'));
  await writeFile(join(served.path, 'blobs/sha256', blob.slice(7)), 'wrong\n');
  const other = join(directory.path, 'other');
  await assert.rejects(pullArtifact(reference, other, options));
  assert.deepEqual(await readdir(other), []);
});

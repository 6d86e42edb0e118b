import assert from 'node:assert/strict';
import { MediaType } from '@ocijs/image';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { digestOf, noise } from '../subject.ts';

const manifests = inSection('Pull / Pulling manifests', [
  {
    id: 'manifest-get-tag',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest is got by its tag: 200 and the bytes that were pushed',
    async check(subject) {
      const name = subject.repository();
      const { bytes } = await subject.pushImage(name, 'v1');
      const answer = await subject.ask('GET', `/v2/${name}/manifests/v1`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, bytes);
    },
  },
  {
    id: 'manifest-get-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest is got by its digest, whether it was pushed by tag or by digest',
    async check(subject) {
      const name = subject.repository();
      for (const pushed of [await subject.pushImage(name, 'v1'), await subject.pushImage(name)]) {
        const answer = await subject.ask('GET', `/v2/${name}/manifests/${pushed.descriptor.digest}`);
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, pushed.bytes);
      }
    },
  },
  {
    id: 'manifest-get-digest-header',
    level: 'MUST',
    since: 'main',
    title: 'the answer names the digest in Docker-Content-Digest (a SHOULD in 1.1.1)',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'v1');
      for (const reference of ['v1', descriptor.digest]) {
        const { headers } = await subject.ask('GET', `/v2/${name}/manifests/${reference}`);
        assert.equal(headers.get('docker-content-digest'), descriptor.digest);
      }
    },
  },
  {
    id: 'manifest-get-type',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'Content-Type is the one that the manifest was pushed with, without parameters',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'image');
      const document = { schemaVersion: 2, mediaType: MediaType.index, manifests: [descriptor] };
      await subject.putManifest(name, 'index', { document, mediaType: MediaType.index });
      for (const [tag, mediaType] of [
        ['image', MediaType.manifest],
        ['index', MediaType.index],
      ] as const) {
        const { headers } = await subject.ask('GET', `/v2/${name}/manifests/${tag}`);
        assert.equal(headers.get('content-type'), mediaType);
      }
    },
  },
  {
    id: 'manifest-get-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest that the repository does not have is 404, by tag and by digest',
    async check(subject) {
      const name = subject.repository();
      await subject.pushImage(name, 'v1');
      for (const reference of ['v2', digestOf(noise())])
        assert.equal((await subject.ask('GET', `/v2/${name}/manifests/${reference}`)).status, 404);
    },
  },
  {
    id: 'manifest-get-other-repository',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest of another repository is 404',
    async check(subject) {
      const [name, other] = [subject.repository(), subject.repository()];
      const { descriptor } = await subject.pushImage(name, 'v1');
      await subject.pushImage(other, 'v2');
      for (const reference of ['v1', descriptor.digest])
        assert.equal((await subject.ask('GET', `/v2/${other}/manifests/${reference}`)).status, 404);
    },
  },
  {
    id: 'name-grammar',
    level: 'MUST',
    since: '1.1.1',
    title: 'every name of the grammar is taken: digits, several components, the separators . _ __ - and ---',
    async check(subject) {
      const name = `${subject.repository()}/0/a.b/c_d/e__f/g-h/i---j`;
      await subject.pushImage(name, 'v1');
      assert.equal((await subject.ask('GET', `/v2/${name}/manifests/v1`)).status, 200);
    },
  },
  {
    id: 'name-invalid',
    level: 'MUST',
    since: '1.1.1',
    title: 'names outside of the grammar are refused',
    async check(subject) {
      for (const part of ['Upper', '-first', 'last-', 'a..b', 'a___b', '.b', 'a%20b']) {
        const { status } = await subject.ask('POST', `/v2/${subject.repository()}/${part}/blobs/uploads/`);
        assert.ok(status >= 400 && status < 500, `${part}: ${status}`);
      }
    },
  },
  {
    id: 'tag-grammar',
    level: 'MUST',
    since: '1.1.1',
    title: 'every tag of the grammar is taken, up to 128 characters',
    async check(subject) {
      const name = subject.repository();
      for (const tag of ['_', 'A', '0', 'a.b-c_D', '_.-', 'x'.repeat(128)]) {
        await subject.pushImage(name, tag);
        assert.equal((await subject.ask('GET', `/v2/${name}/manifests/${tag}`)).status, 200, tag);
      }
    },
  },
  {
    id: 'tag-invalid',
    level: 'MUST',
    since: '1.1.1',
    title: 'tags outside of the grammar are refused: 129 characters, a leading dot or dash, other characters',
    async check(subject) {
      const name = subject.repository();
      const { bytes } = await subject.pushImage(name, 'v1');
      for (const tag of ['x'.repeat(129), '.a', '-a', 'a+b', 'a%20b']) {
        const { answer } = await subject.putManifest(name, tag, { bytes });
        assert.ok(answer.status >= 400 && answer.status < 500, `${tag}: ${answer.status}`);
      }
    },
  },
]);

const blobs = inSection('Pull / Pulling blobs', [
  {
    id: 'blob-get',
    level: 'MUST',
    since: '1.1.1',
    title: 'a blob is got by its digest: 200 and its bytes, also when it is empty',
    async check(subject) {
      const name = subject.repository();
      for (const bytes of [noise(100_000), Buffer.alloc(0)]) {
        const { digest } = await subject.pushBlob(name, bytes);
        const answer = await subject.ask('GET', `/v2/${name}/blobs/${digest}`);
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.body, bytes);
      }
    },
  },
  {
    id: 'blob-get-digest-header',
    level: 'MUST',
    since: 'main',
    title: 'the answer names the digest of its body in Docker-Content-Digest (a SHOULD in 1.1.1)',
    async check(subject) {
      const name = subject.repository();
      const { digest } = await subject.pushBlob(name, noise());
      const { headers, body } = await subject.ask('GET', `/v2/${name}/blobs/${digest}`);
      assert.equal(headers.get('docker-content-digest'), digestOf(body));
    },
  },
  {
    id: 'blob-get-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'a blob that is not there is 404',
    async check(subject) {
      const name = subject.repository();
      await subject.pushImage(name, 'v1');
      assert.equal((await subject.ask('GET', `/v2/${name}/blobs/${digestOf(noise())}`)).status, 404);
    },
  },
  {
    id: 'blob-get-range',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'Range is heeded: 206, the part and its Content-Range',
    async check(subject) {
      const name = subject.repository();
      const bytes = noise(1000);
      const { digest } = await subject.pushBlob(name, bytes);
      for (const [range, start, end] of [
        ['bytes=0-0', 0, 1],
        ['bytes=100-199', 100, 200],
        ['bytes=900-', 900, 1000],
        ['bytes=-100', 900, 1000],
        ['bytes=500-9999', 500, 1000],
      ] as const) {
        const answer = await subject.ask('GET', `/v2/${name}/blobs/${digest}`, { headers: { range } });
        if (answer.status === 200) throw new Unsupported(`the whole blob for ${range}`);
        assert.equal(answer.status, 206, range);
        assert.match(
          answer.headers.get('content-range') ?? '',
          new RegExp(`^bytes ${start}-${end - 1}/(1000|\\*)$`),
        );
        assert.deepEqual(answer.body, bytes.subarray(start, end));
      }
    },
  },
  {
    id: 'blob-get-range-beyond',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'a Range behind the end is 416',
    async check(subject) {
      const name = subject.repository();
      const { digest } = await subject.pushBlob(name, noise(10));
      const headers = { range: 'bytes=10-20' };
      assert.equal((await subject.ask('GET', `/v2/${name}/blobs/${digest}`, { headers })).status, 416);
    },
  },
]);

const existence = inSection('Pull / Checking if content exists in the registry', [
  {
    id: 'manifest-head',
    level: 'MUST',
    since: '1.1.1',
    title: 'HEAD of a manifest by tag and by digest: 200 without a body',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'v1');
      for (const reference of ['v1', descriptor.digest]) {
        const answer = await subject.ask('HEAD', `/v2/${name}/manifests/${reference}`);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.length, 0);
      }
    },
  },
  {
    id: 'manifest-head-headers',
    level: 'MUST',
    since: 'main',
    title: 'HEAD of a manifest names its digest and size (a SHOULD in 1.1.1)',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'v1');
      for (const reference of ['v1', descriptor.digest]) {
        const { headers } = await subject.ask('HEAD', `/v2/${name}/manifests/${reference}`);
        assert.equal(headers.get('docker-content-digest'), descriptor.digest);
        assert.equal(headers.get('content-length'), String(descriptor.size));
      }
    },
  },
  {
    id: 'blob-head',
    level: 'MUST',
    since: '1.1.1',
    title: 'HEAD of a blob: 200 without a body',
    async check(subject) {
      const name = subject.repository();
      const { digest } = await subject.pushBlob(name, noise());
      const answer = await subject.ask('HEAD', `/v2/${name}/blobs/${digest}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.length, 0);
    },
  },
  {
    id: 'blob-head-headers',
    level: 'MUST',
    since: 'main',
    title: 'HEAD of a blob names its digest and size (a SHOULD in 1.1.1)',
    async check(subject) {
      const name = subject.repository();
      const { digest, size } = await subject.pushBlob(name, noise(777));
      const { headers } = await subject.ask('HEAD', `/v2/${name}/blobs/${digest}`);
      assert.equal(headers.get('docker-content-digest'), digest);
      assert.equal(headers.get('content-length'), String(size));
    },
  },
  {
    id: 'head-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'HEAD of what is not there is 404',
    async check(subject) {
      const name = subject.repository();
      await subject.pushImage(name, 'v1');
      for (const path of ['manifests/v2', `manifests/${digestOf(noise())}`, `blobs/${digestOf(noise())}`])
        assert.equal((await subject.ask('HEAD', `/v2/${name}/${path}`)).status, 404, path);
    },
  },
]);

export const pull: readonly Requirement[] = [...manifests, ...blobs, ...existence];

import assert from 'node:assert/strict';
import { MediaType } from '@ocijs/image';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { digestOf, json, locationOf, noise } from '../subject.ts';

const order = inSection('Push', [
  {
    id: 'subject-first-or-last',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest is taken whose subject is not there',
    async check(subject) {
      const missing = { mediaType: MediaType.manifest, digest: digestOf(noise()), size: 100 };
      await subject.pushImage(subject.repository(), 'v1', { fields: { subject: missing } });
    },
  },
  {
    id: 'manifest-missing-blob',
    level: 'MUST',
    since: '1.1.1',
    title: 'a manifest whose blobs are not there is taken, or refused with MANIFEST_BLOB_UNKNOWN',
    async check(subject) {
      const blob = { mediaType: MediaType.config, digest: digestOf(noise()), size: 64 };
      const document = { schemaVersion: 2, mediaType: MediaType.manifest, config: blob, layers: [] };
      const { answer } = await subject.putManifest(subject.repository(), 'v1', { document });
      if (answer.status === 201) return;
      const { errors } = json<{ errors: { code: string }[] }>(answer);
      assert.ok(
        errors.some(({ code }) => code === 'MANIFEST_BLOB_UNKNOWN'),
        JSON.stringify(errors),
      );
    },
  },
]);

const manifests = inSection('Push / Pushing Manifests', [
  {
    id: 'manifest-put-tag',
    level: 'MUST',
    since: '1.1.1',
    title: 'PUT by tag answers 201, and its Location is where the manifest can be got',
    async check(subject) {
      const { answer, bytes } = await subject.pushImage(subject.repository(), 'v1');
      assert.deepEqual((await subject.ask('GET', locationOf(answer, subject.url))).body, bytes);
    },
  },
  {
    id: 'manifest-put-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'PUT by digest answers 201, and its Location is where the manifest can be got',
    async check(subject) {
      const { answer, bytes } = await subject.pushImage(subject.repository());
      assert.deepEqual((await subject.ask('GET', locationOf(answer, subject.url))).body, bytes);
    },
  },
  {
    id: 'manifest-put-wrong-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'PUT by another digest than that of the bytes is refused',
    async check(subject) {
      const name = subject.repository();
      const { bytes } = await subject.pushImage(name, 'v1');
      const digest = digestOf(noise());
      const { answer } = await subject.putManifest(name, digest, { bytes });
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
      assert.equal((await subject.ask('HEAD', `/v2/${name}/manifests/${digest}`)).status, 404);
    },
  },
  {
    id: 'manifest-exact-bytes',
    level: 'MUST',
    since: '1.1.1',
    title: 'the manifest is kept byte for byte: white space, order of fields, fields that nobody knows',
    async check(subject) {
      const name = subject.repository();
      const config = { ...(await subject.pushBlob(name, noise())), mediaType: MediaType.config };
      const document = { zeta: { b: 1, a: [null, 'ü'] }, config, layers: [], schemaVersion: 2 };
      const text = `\n${JSON.stringify({ ...document, mediaType: MediaType.manifest }, null, 3)} \n`;
      const bytes = Buffer.from(text);
      const { answer } = await subject.putManifest(name, 'v1', { bytes });
      assert.equal(answer.status, 201);
      assert.deepEqual((await subject.ask('GET', `/v2/${name}/manifests/v1`)).body, bytes);
    },
  },
  {
    id: 'manifest-put-digest-header',
    level: 'MUST',
    since: '1.1.1',
    title: 'Docker-Content-Digest of the answer, when there, is the digest of the bytes',
    async check(subject) {
      const name = subject.repository();
      for (const reference of ['v1', undefined]) {
        const { answer, descriptor } = await subject.pushImage(name, reference);
        assert.equal(answer.headers.get('docker-content-digest') ?? descriptor.digest, descriptor.digest);
      }
    },
  },
  {
    id: 'manifest-put-parameters',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'parameters of Content-Type are ignored',
    async check(subject) {
      const name = subject.repository();
      const { bytes } = await subject.pushImage(name, 'v1');
      const mediaType = `${MediaType.manifest}; charset=utf-8`;
      const { answer } = await subject.putManifest(name, 'v2', { bytes, mediaType });
      assert.equal(answer.status, 201);
    },
  },
  {
    id: 'manifest-no-layers',
    level: 'MUST',
    since: '1.1.1',
    title: 'the list of layers may be empty',
    async check(subject) {
      await subject.pushImage(subject.repository(), 'v1', { layers: [] });
    },
  },
  {
    id: 'manifest-tag-moves',
    level: 'MUST',
    since: '1.1.1',
    title: 'a tag that is pushed again leads to the new manifest; the former stays under its digest',
    async check(subject) {
      const name = subject.repository();
      const first = await subject.pushImage(name, 'v1');
      const second = await subject.pushImage(name, 'v1');
      const tagged = await subject.ask('GET', `/v2/${name}/manifests/v1`);
      assert.deepEqual(tagged.body, second.bytes);
      const former = await subject.ask('GET', `/v2/${name}/manifests/${first.descriptor.digest}`);
      assert.deepEqual(former.body, first.bytes);
    },
  },
  {
    id: 'index-put',
    level: 'MUST',
    since: '1.1.1',
    title: 'an index is pushed, and one that lists an index',
    async check(subject) {
      const name = subject.repository();
      const mediaType = MediaType.index;
      let { descriptor } = await subject.pushImage(name);
      for (const tag of ['inner', 'outer']) {
        const document = { schemaVersion: 2, mediaType, manifests: [descriptor] };
        const pushed = await subject.putManifest(name, tag, { document, mediaType });
        assert.equal(pushed.answer.status, 201);
        assert.deepEqual((await subject.ask('GET', `/v2/${name}/manifests/${tag}`)).body, pushed.bytes);
        descriptor = pushed.descriptor;
      }
    },
  },
  {
    id: 'manifest-put-sha512',
    level: 'MAY',
    since: '1.1.1',
    title: 'a manifest is pushed by a sha512 digest, and got by it',
    async check(subject) {
      const name = subject.repository();
      const { bytes } = await subject.pushImage(name, 'v1');
      const digest = digestOf(bytes, 'sha512');
      const { answer } = await subject.putManifest(name, digest, { bytes });
      if (answer.status === 400) throw new Unsupported('400 for a sha512 digest');
      assert.equal(answer.status, 201);
      const got = await subject.ask('GET', `/v2/${name}/manifests/${digest}`);
      assert.deepEqual(got.body, bytes);
      assert.equal(got.headers.get('docker-content-digest'), digest);
    },
  },
  {
    id: 'manifest-tag-parameters',
    level: 'MAY',
    since: 'main',
    title: 'a manifest that is pushed by digest gets the tags of the query, at least 10; OCI-Tag lists them',
    async check(subject) {
      const name = subject.repository();
      const { bytes, descriptor } = await subject.pushImage(name);
      const tags = Array.from({ length: 10 }, (_, number) => `tag-${number}`);
      const query = tags.map((tag) => `tag=${tag}`).join('&');
      const { answer } = await subject.putManifest(name, `${descriptor.digest}?${query}`, { bytes });
      assert.equal(answer.status, 201);
      const listed = answer.headers.get('oci-tag');
      if (listed === null) throw new Unsupported('no OCI-Tag in the answer');
      assert.deepEqual(listed.split(/\s*,\s*/).sort(), tags);
      for (const tag of tags)
        assert.deepEqual((await subject.ask('GET', `/v2/${name}/manifests/${tag}`)).body, bytes);
    },
  },
  {
    id: 'manifest-size',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'manifests of 4 MB are taken',
    async check(subject) {
      const annotations = { filler: 'x'.repeat(3_999_000) };
      await subject.pushImage(subject.repository(), 'v1', { fields: { annotations } });
    },
  },
  {
    id: 'manifest-too-large',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'a manifest of 12 MB is refused with 413',
    async check(subject) {
      const name = subject.repository();
      const document = { schemaVersion: 2, annotations: { filler: 'x'.repeat(12_000_000) } };
      assert.equal((await subject.putManifest(name, 'v1', { document })).answer.status, 413);
    },
  },
  {
    id: 'repository-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'pulling from a repository that does not exist is 404',
    async check(subject) {
      const name = subject.repository();
      for (const path of ['manifests/v1', `manifests/${digestOf(noise())}`, `blobs/${digestOf(noise())}`])
        assert.equal((await subject.ask('GET', `/v2/${name}/${path}`)).status, 404, path);
    },
  },
]);

const subjects = inSection('Push / Pushing Manifests / Pushing Manifests with Subject', [
  {
    id: 'subject-header',
    level: 'MUST',
    since: '1.1.1',
    title:
      'the answer to a manifest with a subject names it in OCI-Subject, where the referrers API is offered',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'v1');
      const { answer } = await subject.pushImage(name, 'v2', { fields: { subject: descriptor } });
      const referrers = await subject.ask('GET', `/v2/${name}/referrers/${descriptor.digest}`);
      if (referrers.status === 404) throw new Unsupported('the referrers API is not offered');
      assert.equal(answer.headers.get('oci-subject'), descriptor.digest);
    },
  },
]);

export const pushManifests: readonly Requirement[] = [...order, ...manifests, ...subjects];

import assert from 'node:assert/strict';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { digestOf, locationOf, noise, type Subject, withDigest } from '../subject.ts';

const octets = { 'content-type': 'application/octet-stream' };

async function assertPullable(subject: Subject, location: URL, bytes: Uint8Array): Promise<void> {
  const answer = await subject.ask('GET', location);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, bytes);
}

const digests = inSection('Push / Pushing blobs', [
  {
    id: 'blob-push-wrong-digest',
    level: 'SHOULD',
    since: 'main',
    title: 'bytes that do not have the digest are refused with 400, and are not kept under it',
    async check(subject) {
      const name = subject.repository();
      const location = await subject.startUpload(name);
      const digest = digestOf(noise());
      const answer = await subject.ask('PUT', withDigest(location, digest), {
        headers: octets,
        body: noise(),
      });
      assert.equal(answer.status, 400);
      assert.equal((await subject.ask('HEAD', `/v2/${name}/blobs/${digest}`)).status, 404);
    },
  },
  {
    id: 'blob-push-malformed-digest',
    level: 'SHOULD',
    since: 'main',
    title: 'a digest that is none, or of an unknown algorithm, is refused with 400',
    async check(subject) {
      const name = subject.repository();
      for (const digest of [
        'sha256:short',
        'none',
        `sha256:${'G'.repeat(64)}`,
        `unknown:${'0'.repeat(64)}`,
      ]) {
        const location = await subject.startUpload(name);
        const answer = await subject.ask('PUT', withDigest(location, digest), { headers: octets, body: 'x' });
        assert.equal(answer.status, 400, digest);
      }
    },
  },
]);

const postPut = inSection('Push / Pushing a blob monolithically / POST then PUT', [
  {
    id: 'upload-start',
    level: 'MUST',
    since: '1.1.1',
    title: 'POST answers 202 with a Location, another one for each upload',
    async check(subject) {
      const name = subject.repository();
      const [first, second] = [await subject.startUpload(name), await subject.startUpload(name)];
      assert.notEqual(first.href, second.href);
    },
  },
  {
    id: 'upload-put',
    level: 'MUST',
    since: '1.1.1',
    title: 'PUT of all bytes answers 201, and its Location is where the blob can be got',
    async check(subject) {
      const name = subject.repository();
      const bytes = noise(10_000);
      const location = withDigest(await subject.startUpload(name), digestOf(bytes));
      const answer = await subject.ask('PUT', location, { headers: octets, body: bytes });
      assert.equal(answer.status, 201);
      await assertPullable(subject, locationOf(answer, subject.url), bytes);
    },
  },
  {
    id: 'upload-put-without-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'PUT without a digest does not end the upload',
    async check(subject) {
      const location = await subject.startUpload(subject.repository());
      const { status } = await subject.ask('PUT', location, { headers: octets, body: noise() });
      assert.ok(status >= 400 && status < 500, `${status}`);
    },
  },
]);

const singlePost = inSection('Push / Pushing a blob monolithically / Single POST', [
  {
    id: 'blob-post',
    level: 'MAY',
    since: '1.1.1',
    title: 'POST with a digest and the bytes answers 201, and its Location is where the blob can be got',
    async check(subject) {
      const name = subject.repository();
      const bytes = noise(10_000);
      const path = `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`;
      const answer = await subject.ask('POST', path, { headers: octets, body: bytes });
      if (answer.status === 202) throw new Unsupported('202: the blob is to be sent by PUT');
      assert.equal(answer.status, 201);
      await assertPullable(subject, locationOf(answer, subject.url), bytes);
    },
  },
  {
    id: 'blob-post-fallback',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'where that is not supported, the answer is 202 and an upload that PUT can end',
    async check(subject) {
      const name = subject.repository();
      const bytes = noise(1000);
      const path = `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`;
      const answer = await subject.ask('POST', path, { headers: octets, body: bytes });
      if (answer.status === 201) return;
      assert.equal(answer.status, 202);
      const location = withDigest(locationOf(answer, subject.url), digestOf(bytes));
      assert.equal((await subject.ask('PUT', location, { headers: octets, body: bytes })).status, 201);
    },
  },
  {
    id: 'blob-post-wrong-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'POST with another digest than that of the bytes is not 201',
    async check(subject) {
      const name = subject.repository();
      const digest = digestOf(noise());
      const path = `/v2/${name}/blobs/uploads/?digest=${digest}`;
      const { status } = await subject.ask('POST', path, { headers: octets, body: noise() });
      assert.notEqual(status, 201);
      assert.equal((await subject.ask('HEAD', `/v2/${name}/blobs/${digest}`)).status, 404);
    },
  },
]);

const cancel = inSection('Push / Cancel a blob upload', [
  {
    id: 'upload-cancel',
    level: 'SHOULD',
    since: 'main',
    title: 'DELETE of an upload answers 204, and the upload is gone',
    async check(subject) {
      const location = await subject.startUpload(subject.repository());
      assert.equal((await subject.ask('DELETE', location)).status, 204);
      assert.equal((await subject.ask('GET', location)).status, 404);
    },
  },
]);

const mount = inSection('Push / Mounting a blob from another repository', [
  {
    id: 'mount',
    level: 'MAY',
    since: '1.1.1',
    title: 'a blob of another repository is mounted: 201, and its Location is where the blob can be got',
    async check(subject) {
      const [source, name] = [subject.repository(), subject.repository()];
      const bytes = noise();
      const { digest } = await subject.pushBlob(source, bytes);
      const answer = await subject.ask('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=${source}`);
      if (answer.status === 202) throw new Unsupported('202 for a blob that is there');
      assert.equal(answer.status, 201);
      await assertPullable(subject, locationOf(answer, subject.url), bytes);
      await assertPullable(subject, new URL(`/v2/${name}/blobs/${digest}`, subject.url), bytes);
    },
  },
  {
    id: 'mount-anywhere',
    level: 'MAY',
    since: '1.1.1',
    title: 'a blob is mounted without `from`, from wherever it is',
    async check(subject) {
      const [source, name] = [subject.repository(), subject.repository()];
      const { digest } = await subject.pushBlob(source, noise());
      const answer = await subject.ask('POST', `/v2/${name}/blobs/uploads/?mount=${digest}`);
      if (answer.status === 202) throw new Unsupported('202 without `from`');
      assert.equal(answer.status, 201);
      assert.equal((await subject.ask('HEAD', `/v2/${name}/blobs/${digest}`)).status, 200);
    },
  },
  {
    id: 'mount-missing',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'what cannot be mounted becomes an upload: 202, and PUT ends it',
    async check(subject) {
      const [source, name] = [subject.repository(), subject.repository()];
      const bytes = noise();
      const digest = digestOf(bytes);
      await subject.pushBlob(source, noise());
      const answer = await subject.ask('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=${source}`);
      assert.equal(answer.status, 202);
      const location = withDigest(locationOf(answer, subject.url), digest);
      assert.equal((await subject.ask('PUT', location, { headers: octets, body: bytes })).status, 201);
    },
  },
]);

export const pushBlobs: readonly Requirement[] = [...digests, ...postPut, ...singlePost, ...cancel, ...mount];

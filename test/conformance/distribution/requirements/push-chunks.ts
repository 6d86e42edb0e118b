import assert from 'node:assert/strict';
import { inSection, type Requirement } from '../requirement.ts';
import { type Answer, digestOf, locationOf, noise, type Subject, withDigest } from '../subject.ts';

/** One chunk of an upload. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function sendChunk(
  subject: Subject,
  [method, location]: readonly ['PATCH' | 'PUT', URL],
  { bytes, start, end }: Chunk,
): Promise<Answer> {
  const headers = { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` };
  return subject.ask(method, location, { headers, body: bytes.subarray(start, end) });
}

/** Large enough that no registry's least chunk length matters. */
const size = 3000;

async function begun(subject: Subject): Promise<{ readonly name: string; readonly location: URL }> {
  const name = subject.repository();
  return { name, location: await subject.startUpload(name) };
}

async function assertBlob(subject: Subject, name: string, bytes: Uint8Array): Promise<void> {
  const answer = await subject.ask('GET', `/v2/${name}/blobs/${digestOf(bytes)}`);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, bytes);
}

export const pushChunks: readonly Requirement[] = inSection('Push / Pushing a blob in chunks', [
  {
    id: 'chunk-patch',
    level: 'MUST',
    since: '1.1.1',
    title: 'each chunk answers 202 with a Location and the Range that has arrived',
    async check(subject) {
      const bytes = noise(size);
      let { location } = await begun(subject);
      for (const [start, end] of [
        [0, 1000],
        [1000, 2000],
      ] as const) {
        const answer = await sendChunk(subject, ['PATCH', location], { bytes, start, end });
        assert.equal(answer.status, 202);
        assert.equal(answer.headers.get('range'), `0-${end - 1}`);
        location = locationOf(answer, subject.url);
      }
    },
  },
  {
    id: 'chunk-close-empty',
    level: 'MUST',
    since: '1.1.1',
    title: 'an upload whose chunks are all there ends with an empty PUT: 201, and Location leads to the blob',
    async check(subject) {
      const bytes = noise(size);
      let { name, location } = await begun(subject);
      for (const start of [0, 1000, 2000]) {
        const answer = await sendChunk(subject, ['PATCH', location], { bytes, start, end: start + 1000 });
        location = locationOf(answer, subject.url);
      }
      const done = await subject.ask('PUT', withDigest(location, digestOf(bytes)));
      assert.equal(done.status, 201);
      assert.equal((await subject.ask('GET', locationOf(done, subject.url))).status, 200);
      await assertBlob(subject, name, bytes);
    },
  },
  {
    id: 'chunk-close-last',
    level: 'MUST',
    since: '1.1.1',
    title: 'the last chunk may come with the PUT that ends the upload',
    async check(subject) {
      const bytes = noise(size);
      const { name, location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 2000 });
      const last = withDigest(locationOf(first, subject.url), digestOf(bytes));
      const done = await sendChunk(subject, ['PUT', last], { bytes, start: 2000, end: size });
      assert.equal(done.status, 201);
      await assertBlob(subject, name, bytes);
    },
  },
  {
    id: 'chunk-close-whole-digest',
    level: 'MUST',
    since: '1.1.1',
    title:
      'the digest is that of the whole blob: with that of the last chunk the upload does not become a blob',
    async check(subject) {
      const bytes = noise(size);
      const { location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 2000 });
      const last = withDigest(locationOf(first, subject.url), digestOf(bytes.subarray(2000)));
      assert.notEqual(
        (await sendChunk(subject, ['PUT', last], { bytes, start: 2000, end: size })).status,
        201,
      );
    },
  },
  {
    id: 'chunk-first-offset',
    level: 'MUST',
    since: '1.1.1',
    title: 'a first chunk that does not begin at 0 is 416',
    async check(subject) {
      const { location } = await begun(subject);
      const chunk = { bytes: noise(size), start: 1000, end: 2000 };
      assert.equal((await sendChunk(subject, ['PATCH', location], chunk)).status, 416);
    },
  },
  {
    id: 'chunk-out-of-order',
    level: 'MUST',
    since: '1.1.1',
    title: 'a chunk that leaves a gap or comes again is 416',
    async check(subject) {
      const bytes = noise(size);
      const { location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 1000 });
      const next = locationOf(first, subject.url);
      for (const start of [2000, 0])
        assert.equal(
          (await sendChunk(subject, ['PATCH', next], { bytes, start, end: start + 1000 })).status,
          416,
          `from ${start}`,
        );
    },
  },
  {
    id: 'chunk-last-out-of-order',
    level: 'MUST',
    since: 'main',
    title: 'a last chunk that leaves a gap is 416 in the PUT too',
    async check(subject) {
      const bytes = noise(size);
      const { location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 1000 });
      const last = withDigest(locationOf(first, subject.url), digestOf(bytes));
      assert.equal((await sendChunk(subject, ['PUT', last], { bytes, start: 2000, end: size })).status, 416);
    },
  },
  {
    id: 'upload-status',
    level: 'MUST',
    since: '1.1.1',
    title: 'GET of an upload answers 204 with a Location and the Range that has arrived',
    async check(subject) {
      const bytes = noise(size);
      const { location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 1000 });
      const status = await subject.ask('GET', locationOf(first, subject.url));
      assert.equal(status.status, 204);
      assert.equal(status.headers.get('range'), '0-999');
      locationOf(status, subject.url);
    },
  },
  {
    id: 'upload-resume',
    level: 'MUST',
    since: '1.1.1',
    title: 'after 416, an upload goes on where GET says',
    async check(subject) {
      const bytes = noise(size);
      const { name, location } = await begun(subject);
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: 1000 });
      const next = locationOf(first, subject.url);
      await sendChunk(subject, ['PATCH', next], { bytes, start: 2000, end: size });
      const status = await subject.ask('GET', next);
      const start = Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1]) + 1;
      assert.equal(start, 1000);
      const more = { bytes, start, end: size };
      const rest = await sendChunk(subject, ['PATCH', locationOf(status, subject.url)], more);
      assert.equal(rest.status, 202);
      const done = withDigest(locationOf(rest, subject.url), digestOf(bytes));
      assert.equal((await subject.ask('PUT', done)).status, 201);
      await assertBlob(subject, name, bytes);
    },
  },
  {
    id: 'upload-unknown',
    level: 'MUST',
    since: '1.1.1',
    title: 'an upload that has ended is 404',
    async check(subject) {
      const { location } = await begun(subject);
      const bytes = noise();
      await subject.ask('PUT', withDigest(location, digestOf(bytes)), { body: bytes });
      assert.equal((await subject.ask('GET', location)).status, 404);
    },
  },
  {
    id: 'chunk-least-length',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'a least chunk length, when there is one, is a number of bytes',
    async check(subject) {
      const { headers } = await subject.ask('POST', `/v2/${subject.repository()}/blobs/uploads/`);
      assert.match(headers.get('oci-chunk-min-length') ?? '0', /^\d+$/);
    },
  },
  {
    id: 'upload-digest-algorithm',
    level: 'SHOULD',
    since: 'main',
    title: 'an upload that announces sha512 becomes a blob with such a digest',
    async check(subject) {
      const name = subject.repository();
      const bytes = noise(size);
      const digest = digestOf(bytes, 'sha512');
      const location = await subject.startUpload(name, '?digest-algorithm=sha512');
      const first = await sendChunk(subject, ['PATCH', location], { bytes, start: 0, end: size });
      const done = await subject.ask('PUT', withDigest(locationOf(first, subject.url), digest));
      assert.equal(done.status, 201);
      const answer = await subject.ask('GET', `/v2/${name}/blobs/${digest}`);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, bytes);
    },
  },
]);

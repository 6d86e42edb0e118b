import assert from 'node:assert/strict';
import { MediaType } from '@ocijs/image';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { type Answer, type Described, digestOf, json, noise, type Subject } from '../subject.ts';

interface Referrer extends Described {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function ask(subject: Subject, name: string, rest: string): Promise<Answer> {
  const answer = await subject.ask('GET', `/v2/${name}/referrers/${rest}`);
  if (answer.status === 404) throw new Unsupported('404: the referrers API is not offered');
  return answer;
}

/** All pages of a list. */
async function listed(subject: Subject, name: string, rest: string): Promise<readonly Referrer[]> {
  const found: Referrer[] = [];
  let answer = await ask(subject, name, rest);
  for (;;) {
    assert.equal(answer.status, 200);
    found.push(...json<{ manifests: Referrer[] }>(answer).manifests);
    const link = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
    if (link === undefined) return found;
    answer = await subject.ask('GET', new URL(link, subject.url));
  }
}

/** A subject with three referrers: of a type of its own, of its config's type, and an index without a type. */
async function family(subject: Subject) {
  const name = subject.repository();
  const { descriptor } = await subject.pushImage(name, 'v1');
  const about = (annotation: string) => ({ subject: descriptor, annotations: { about: annotation } });
  const typed = await subject.pushImage(name, undefined, {
    fields: { artifactType: 'application/vnd.test.sbom', ...about('sbom') },
  });
  const plain = await subject.pushImage(name, undefined, { fields: about('plain') });
  const document = { schemaVersion: 2, mediaType: MediaType.index, manifests: [], ...about('index') };
  const bytes = Buffer.from(JSON.stringify(document));
  const index = await subject.putManifest(name, digestOf(bytes), { bytes, mediaType: MediaType.index });
  assert.equal(index.answer.status, 201);
  return { name, descriptor, typed, plain, index };
}

export const referrers: readonly Requirement[] = inSection('Content Discovery / Listing Referrers', [
  {
    id: 'referrers-none',
    level: 'MUST',
    since: '1.1.1',
    title: 'without referrers the answer is 200 and an empty index, also for a manifest that is not there',
    async check(subject) {
      const name = subject.repository();
      const { descriptor } = await subject.pushImage(name, 'v1');
      for (const digest of [descriptor.digest, digestOf(noise())]) {
        const answer = await ask(subject, name, digest);
        assert.equal(answer.status, 200);
        const index = json<{ schemaVersion: number; manifests: unknown }>(answer);
        assert.equal(index.schemaVersion, 2);
        assert.deepEqual(index.manifests, []);
      }
    },
  },
  {
    id: 'referrers-type',
    level: 'MUST',
    since: '1.1.1',
    title: 'the Content-Type is that of an image index',
    async check(subject) {
      const { name, descriptor } = await family(subject);
      const { headers } = await ask(subject, name, descriptor.digest);
      assert.equal(headers.get('content-type'), MediaType.index);
    },
  },
  {
    id: 'referrers-list',
    level: 'MUST',
    since: '1.1.1',
    title: 'images and indexes with the subject are listed, each once, with media type, digest and size',
    async check(subject) {
      const { name, descriptor, typed, plain, index } = await family(subject);
      const found = await listed(subject, name, descriptor.digest);
      const bare = (all: readonly Described[]) =>
        all.map(({ mediaType, digest, size }) => `${mediaType} ${digest} ${size}`).sort();
      assert.deepEqual(bare(found), bare([typed, plain, index].map((one) => one.descriptor)));
    },
  },
  {
    id: 'referrers-artifact-type',
    level: 'MUST',
    since: '1.1.1',
    title:
      "artifactType is the manifest's, else its config's media type, and absent for an index without one",
    async check(subject) {
      const { name, descriptor, typed, plain, index } = await family(subject);
      const found = await listed(subject, name, descriptor.digest);
      const typeOf = (digest: string) => found.find((one) => one.digest === digest)?.artifactType;
      assert.equal(typeOf(typed.descriptor.digest), 'application/vnd.test.sbom');
      assert.equal(typeOf(plain.descriptor.digest), MediaType.config);
      assert.equal(typeOf(index.descriptor.digest), undefined);
    },
  },
  {
    id: 'referrers-annotations',
    level: 'MUST',
    since: '1.1.1',
    title: 'the annotations of each manifest and index are there',
    async check(subject) {
      const { name, descriptor } = await family(subject);
      const found = await listed(subject, name, descriptor.digest);
      assert.deepEqual(found.map(({ annotations }) => annotations?.['about']).sort(), [
        'index',
        'plain',
        'sbom',
      ]);
    },
  },
  {
    id: 'referrers-before-subject',
    level: 'MUST',
    since: '1.1.1',
    title: 'a referrer that was pushed before its subject is listed, before and after the subject comes',
    async check(subject) {
      const name = subject.repository();
      const other = subject.repository();
      const later = await subject.pushImage(other, 'v1');
      const { descriptor } = await subject.pushImage(name, undefined, {
        fields: { subject: later.descriptor },
      });
      const digests = async () =>
        (await listed(subject, name, later.descriptor.digest)).map(({ digest }) => digest);
      assert.deepEqual(await digests(), [descriptor.digest]);
      await subject.putManifest(name, 'v1', { bytes: later.bytes });
      assert.deepEqual(await digests(), [descriptor.digest]);
    },
  },
  {
    id: 'referrers-same-repository',
    level: 'MUST',
    since: '1.1.1',
    title: 'referrers in another repository are not listed',
    async check(subject) {
      const { descriptor } = await family(subject);
      const other = subject.repository();
      await subject.pushImage(other, 'v1');
      assert.deepEqual(await listed(subject, other, descriptor.digest), []);
    },
  },
  {
    id: 'referrers-invalid-digest',
    level: 'MUST',
    since: '1.1.1',
    title: 'a digest that is none is 400',
    async check(subject) {
      const { name } = await family(subject);
      const answer = await ask(subject, name, 'sha256:none');
      assert.equal(answer.status, 400);
    },
  },
  {
    id: 'referrers-filter',
    level: 'SHOULD',
    since: '1.1.1',
    title: 'artifactType filters, and OCI-Filters-Applied says so',
    async check(subject) {
      const { name, descriptor, typed, plain } = await family(subject);
      for (const [type, expected] of [
        ['application/vnd.test.sbom', [typed.descriptor.digest]],
        [MediaType.config, [plain.descriptor.digest]],
        ['application/vnd.test.none', []],
      ] as const) {
        const rest = `${descriptor.digest}?artifactType=${encodeURIComponent(type)}`;
        const { headers } = await ask(subject, name, rest);
        const applied = headers.get('oci-filters-applied');
        if (applied === null) throw new Unsupported('no filter is applied');
        assert.ok(applied.split(/\s*,\s*/).includes('artifactType'), applied);
        assert.deepEqual(
          (await listed(subject, name, rest)).map(({ digest }) => digest),
          expected,
        );
      }
    },
  },
  {
    id: 'referrers-unfiltered',
    level: 'MUST',
    since: '1.1.1',
    title: 'OCI-Filters-Applied is absent when no filter was asked for',
    async check(subject) {
      const { name, descriptor } = await family(subject);
      const { headers } = await ask(subject, name, descriptor.digest);
      assert.equal(headers.get('oci-filters-applied'), null);
    },
  },
  {
    id: 'referrers-deleted',
    level: 'MUST',
    since: '1.1.1',
    title: 'a referrer that was deleted is not listed any more',
    async check(subject) {
      const { name, descriptor, typed } = await family(subject);
      const removed = await subject.ask('DELETE', `/v2/${name}/manifests/${typed.descriptor.digest}`);
      if (removed.status !== 202) throw new Unsupported(`DELETE answers ${removed.status}`);
      const found = await listed(subject, name, descriptor.digest);
      assert.ok(!found.some(({ digest }) => digest === typed.descriptor.digest));
      assert.equal(found.length, 2);
    },
  },
]).concat(
  inSection('Upgrade Procedures / Enabling the Referrers API', [
    {
      id: 'referrers-from-tag-schema',
      level: 'MUST',
      since: '1.1.1',
      title: "manifests that an index under the referrers tag lists are in the API's answer",
      async check(subject) {
        const { name, descriptor, typed, plain, index } = await family(subject);
        const manifests = [typed, plain, index].map((one) => one.descriptor);
        await subject.putManifest(name, descriptor.digest.replace(':', '-'), {
          document: { schemaVersion: 2, mediaType: MediaType.index, manifests },
          mediaType: MediaType.index,
        });
        const found = (await listed(subject, name, descriptor.digest)).map(({ digest }) => digest);
        assert.deepEqual([...found].sort(), manifests.map(({ digest }) => digest).sort());
      },
    },
  ]),
);

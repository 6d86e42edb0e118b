import assert from 'node:assert/strict';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { type Answer, digestOf, json, noise, type Subject } from '../subject.ts';

interface TagList {
  readonly name: string;
  readonly tags: readonly string[];
}

async function tagged(subject: Subject, tags: readonly string[]): Promise<string> {
  const name = subject.repository();
  const { bytes } = await subject.pushImage(name, tags[0]);
  for (const tag of tags.slice(1)) await subject.putManifest(name, tag, { bytes });
  return name;
}

async function list(subject: Subject, name: string, query = ''): Promise<TagList & { answer: Answer }> {
  const answer = await subject.ask('GET', `/v2/${name}/tags/list${query}`);
  assert.equal(answer.status, 200);
  const { tags, ...rest } = json<{ name: string; tags: readonly string[] | null }>(answer);
  return { ...rest, tags: tags ?? [], answer };
}

/** Lexical without regard to case, or by code; both are allowed. */
function assertOrdered(tags: readonly string[]): void {
  const byCode = [...tags].sort();
  const byLetter = [...tags].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  assert.ok(
    [byCode, byLetter].some((order) => order.join() === tags.join()),
    tags.join(),
  );
}

const next = ({ headers }: Answer): string | undefined =>
  /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];

export const discovery: readonly Requirement[] = inSection('Content Discovery / Listing Tags', [
  {
    id: 'tags-list',
    level: 'MUST',
    since: '1.1.1',
    title: 'the tags of a repository: 200, with its name and all of them in order',
    async check(subject) {
      const tags = ['b', 'a', 'c', '10', '9', 'B1', '_x'];
      const name = await tagged(subject, tags);
      const found = await list(subject, name);
      assert.equal(found.name, name);
      assert.deepEqual([...found.tags].sort(), [...tags].sort());
      assertOrdered(found.tags);
    },
  },
  {
    id: 'tags-none',
    level: 'MUST',
    since: '1.1.1',
    title: 'a repository without tags has an empty list',
    async check(subject) {
      const name = subject.repository();
      await subject.pushImage(name);
      assert.deepEqual((await list(subject, name)).tags, []);
    },
  },
  {
    id: 'tags-n',
    level: 'MUST',
    since: '1.1.1',
    title: 'n tags are as many from the beginning; fewer only when there is a Link',
    async check(subject) {
      const name = await tagged(subject, ['a', 'b', 'c', 'd']);
      const { tags, answer } = await list(subject, name, '?n=3');
      assert.deepEqual(tags, ['a', 'b', 'c'].slice(0, tags.length));
      assert.ok(tags.length === 3 || next(answer) !== undefined);
      const all = await list(subject, name, '?n=100');
      assert.ok(all.tags.length === 4 || next(all.answer) !== undefined);
    },
  },
  {
    id: 'tags-n-zero',
    level: 'MUST',
    since: '1.1.1',
    title: 'n=0 is an empty list without a Link',
    async check(subject) {
      const name = await tagged(subject, ['a', 'b']);
      const { tags, answer } = await list(subject, name, '?n=0');
      assert.deepEqual(tags, []);
      assert.equal(answer.headers.get('link'), null);
    },
  },
  {
    id: 'tags-last',
    level: 'MUST',
    since: '1.1.1',
    title: 'last begins after a tag, which is not listed again; n is optional with it',
    async check(subject) {
      const name = await tagged(subject, ['a', 'b', 'c', 'd']);
      assert.deepEqual((await list(subject, name, '?n=2&last=a')).tags, ['b', 'c']);
      assert.deepEqual((await list(subject, name, '?last=b')).tags, ['c', 'd']);
      assert.deepEqual((await list(subject, name, '?n=2&last=d')).tags, []);
    },
  },
  {
    id: 'tags-link',
    level: 'MUST',
    since: '1.1.1',
    title: 'Link, when there, has the relation next and leads through all tags, each once',
    async check(subject) {
      const name = await tagged(subject, ['a', 'b', 'c', 'd', 'e']);
      const found: string[] = [];
      let target: string | URL | undefined = `/v2/${name}/tags/list?n=2`;
      let pages = 0;
      while (target !== undefined) {
        const answer: Answer = await subject.ask('GET', target);
        assert.equal(answer.status, 200);
        found.push(...json<TagList>(answer).tags);
        const link = answer.headers.get('link');
        const following = next(answer);
        assert.ok(link === null || following !== undefined, `Link: ${link}`);
        target = following === undefined ? undefined : new URL(following, subject.url);
        if (++pages === 1 && target === undefined) throw new Unsupported('no Link on the first page');
      }
      assert.deepEqual(found, ['a', 'b', 'c', 'd', 'e']);
    },
  },
  {
    id: 'tags-missing-repository',
    level: 'MUST',
    since: '1.1.1',
    title: 'the tags of a repository that does not exist are 404',
    async check(subject) {
      const answer = await subject.ask('GET', `/v2/${subject.repository()}/tags/list`);
      assert.equal(answer.status, 404);
    },
  },
]).concat(
  inSection('API / Determining Support', [
    {
      id: 'support',
      level: 'MUST',
      since: '1.1.1',
      title: 'GET /v2/ answers 200',
      async check(subject) {
        assert.equal((await subject.ask('GET', '/v2/')).status, 200);
      },
    },
  ]),
  inSection('Registry Proxying', [
    {
      id: 'proxy-namespace',
      level: 'MAY',
      since: 'main',
      title: 'the parameter ns does not hurt; a registry that heeds it says so in OCI-Namespace',
      async check(subject) {
        const name = await tagged(subject, ['a']);
        for (const path of ['manifests/a', `manifests/${digestOf(noise())}`]) {
          const answer = await subject.ask('GET', `/v2/${name}/${path}?ns=registry.example`);
          assert.ok(answer.status === 200 || answer.status === 404);
          assert.equal(answer.headers.get('oci-namespace') ?? 'registry.example', 'registry.example');
        }
      },
    },
  ]),
);

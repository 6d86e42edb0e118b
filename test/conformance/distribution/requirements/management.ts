import assert from 'node:assert/strict';
import { inSection, type Requirement, Unsupported } from '../requirement.ts';
import { digestOf, noise, type Subject } from '../subject.ts';

async function remove(subject: Subject, path: string): Promise<void> {
  const { status } = await subject.ask('DELETE', path);
  if (status === 400 || status === 405) throw new Unsupported(`DELETE answers ${status}`);
  assert.equal(status, 202);
}

const tags = inSection('Content Management / Deleting tags', [
  {
    id: 'tag-delete',
    level: 'MAY',
    since: '1.1.1',
    title:
      'DELETE of a tag answers 202, then GET of it 404; other tags of the manifest stay, and it stays itself',
    async check(subject) {
      const name = subject.repository();
      const { bytes, descriptor } = await subject.pushImage(name, 'one');
      await subject.putManifest(name, 'two', { bytes });
      for (const [tag, left] of [
        ['one', ['two', descriptor.digest]],
        ['two', [descriptor.digest]],
      ] as const) {
        await remove(subject, `/v2/${name}/manifests/${tag}`);
        assert.equal((await subject.ask('GET', `/v2/${name}/manifests/${tag}`)).status, 404);
        for (const reference of left)
          assert.equal((await subject.ask('GET', `/v2/${name}/manifests/${reference}`)).status, 200);
      }
    },
  },
]);

const manifests = inSection('Content Management / Deleting Manifests', [
  {
    id: 'manifest-delete',
    level: 'MAY',
    since: '1.1.1',
    title: 'DELETE of a manifest answers 202, then GET by digest and by every tag of it 404',
    async check(subject) {
      const name = subject.repository();
      const { bytes, descriptor } = await subject.pushImage(name, 'one');
      await subject.putManifest(name, 'two', { bytes });
      await remove(subject, `/v2/${name}/manifests/${descriptor.digest}`);
      for (const reference of [descriptor.digest, 'one', 'two'])
        assert.equal((await subject.ask('GET', `/v2/${name}/manifests/${reference}`)).status, 404, reference);
    },
  },
  {
    id: 'manifest-delete-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'DELETE of a manifest is 404 where there is no such repository',
    async check(subject) {
      const { status } = await subject.ask(
        'DELETE',
        `/v2/${subject.repository()}/manifests/${digestOf(noise())}`,
      );
      if (status === 400 || status === 405) throw new Unsupported(`DELETE answers ${status}`);
      assert.equal(status, 404);
    },
  },
]);

const blobs = inSection('Content Management / Deleting Blobs', [
  {
    id: 'blob-delete',
    level: 'MAY',
    since: '1.1.1',
    title: 'DELETE of a blob answers 202, and it is gone',
    async check(subject) {
      const name = subject.repository();
      const { digest } = await subject.pushBlob(name, noise());
      await remove(subject, `/v2/${name}/blobs/${digest}`);
      assert.equal((await subject.ask('GET', `/v2/${name}/blobs/${digest}`)).status, 404);
    },
  },
  {
    id: 'blob-delete-missing',
    level: 'MUST',
    since: '1.1.1',
    title: 'DELETE of a blob that is not there is 404',
    async check(subject) {
      const name = subject.repository();
      await subject.pushBlob(name, noise());
      const { status } = await subject.ask('DELETE', `/v2/${name}/blobs/${digestOf(noise())}`);
      if (status === 400 || status === 405) throw new Unsupported(`DELETE answers ${status}`);
      assert.equal(status, 404);
    },
  },
]);

export const management: readonly Requirement[] = [...tags, ...manifests, ...blobs];

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkStore, createLayout, type Store } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from '@ocijs/registry/server';
import { type TemporaryDirectory, temporaryDirectory } from '../../kit/temporary.ts';
import { requirements } from './all.ts';
import { outcomeOf } from './requirement.ts';
import { createSubject, type Subject } from './subject.ts';

test('each requirement has an identifier of its own', () => {
  assert.equal(new Set(requirements.map(({ id }) => id)).size, requirements.length);
});

for (const auth of ['nobody', 'bearer'] as const) {
  describe(`the embedded registry, credentials: ${auth}`, () => {
    let directory: TemporaryDirectory;
    let store: Store;
    let registry: RunningRegistry;
    let subject: Subject;
    const failures: unknown[] = [];

    before(async () => {
      directory = await temporaryDirectory();
      store = await createLayout(`${directory.path}/layout`);
      const account = { username: 'conformance', password: 'sec:ret' };
      registry = await startRegistry({
        store,
        onError: (error) => failures.push(error),
        ...(auth === 'nobody' ? {} : { auth: { type: auth, ...account } }),
      });
      subject = createSubject(registry.url, auth === 'nobody' ? {} : account);
    });
    after(async () => {
      await registry.close();
      const { problems } = await checkStore(store);
      await store[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
      assert.deepEqual(failures, []);
      assert.deepEqual(
        problems.filter(({ kind }) => kind !== 'missing-blob'),
        [],
      );
    });

    for (const requirement of requirements) {
      const { section, level, since, title } = requirement;
      test(`${section}: ${title} (${level}, ${since})`, async () => {
        assert.deepEqual(await outcomeOf(requirement, subject), { result: 'met' });
      });
    }
  });
}

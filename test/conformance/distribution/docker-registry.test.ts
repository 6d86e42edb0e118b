import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DockerRegistry, dockerRegistry } from '../../kit/docker-registry.ts';
import { missing } from '../../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../kit/temporary.ts';
import { requirements } from './all.ts';
import { dockerRegistryDifferences } from './known-differences.ts';
import { outcomeOf } from './requirement.ts';
import { createSubject, type Subject } from './subject.ts';

// That another registry meets these requirements too shows that the checks ask what the specification asks; where it does
// not, the difference is asserted, so that a check that stops telling them apart is noticed.
describe('docker-registry, for comparison', { skip: missing({ commands: ['docker-registry'] }) }, () => {
  let directory: TemporaryDirectory;
  let registry: DockerRegistry;
  let subject: Subject;

  before(async () => {
    directory = await temporaryDirectory();
    registry = await dockerRegistry(directory.path);
    subject = createSubject(`http://${registry.host}`);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  test('known differences are of requirements that exist', () => {
    const ids = new Set(requirements.map(({ id }) => id));
    assert.deepEqual(
      Object.keys(dockerRegistryDifferences).filter((id) => !ids.has(id)),
      [],
    );
  });

  for (const requirement of requirements) {
    const { id, section, level, since, title } = requirement;
    const difference = dockerRegistryDifferences[id];
    const known = difference === undefined ? '' : ` [${difference.result}: ${difference.why}]`;
    test(`${section}: ${title} (${level}, ${since})${known}`, async () => {
      const { result, ...rest } = await outcomeOf(requirement, subject);
      assert.equal(result, difference?.result ?? 'met', JSON.stringify(rest));
    });
  }
});

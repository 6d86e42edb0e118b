import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runtimeProgram } from '../../kit/oci.ts';
import { missing } from '../../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../kit/temporary.ts';
import { requirements } from './all.ts';
import { ourDifferences } from './known-differences.ts';
import { outcomeOf } from './requirement.ts';
import { createSubject, type Subject } from './subject.ts';

test('each requirement has an identifier of its own, and known differences are of some of them', () => {
  const ids = new Set(requirements.map(({ id }) => id));
  assert.equal(ids.size, requirements.length);
  assert.deepEqual(
    Object.keys(ourDifferences).filter((id) => !ids.has(id)),
    [],
  );
});

// What the tests of the packages cover as well is left to `npm run conformance:runtime`: a container a requirement takes minutes.
const quick = requirements.filter(
  ({ id, section }) =>
    /^runtime\.md|^features/.test(section) ||
    /^(mounts-(order|inside|destination)|seccomp-.*(empty|unsupported|metadata)|capabilities|runc-(home|affinity|exec-fail))/.test(
      id,
    ),
);

describe('our runtime', { skip: missing({ root: true, commands: ['busybox'] }), concurrency: 4 }, () => {
  let directory: TemporaryDirectory;
  let subject: Subject;

  before(async () => {
    directory = await temporaryDirectory();
    subject = createSubject([process.execPath, runtimeProgram], directory.path);
  });
  after(async () => await directory[Symbol.asyncDispose]());

  for (const requirement of quick) {
    const { id, section, level, title } = requirement;
    test(`${section}: ${title} (${level})`, async (context) => {
      const outcome = await outcomeOf(requirement, subject);
      if (outcome.result === 'unsupported') context.skip(outcome.reason);
      else
        assert.equal(
          outcome.result,
          ourDifferences[id] === undefined ? 'met' : 'failed',
          JSON.stringify(outcome),
        );
    });
  }
});

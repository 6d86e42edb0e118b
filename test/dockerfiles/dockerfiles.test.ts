import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from '../kit/requirements.ts';
import { dockerfileCases } from './cases.ts';
import { runCase } from './run-case.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

const skip = missing({ root: true, commands: ['buildah', 'busybox', 'xz'] });

describe('Dockerfiles, built by us and by buildah', { skip }, () => {
  let workshop: Workshop;
  before(async () => {
    workshop = await openWorkshop();
  });
  after(() => workshop[Symbol.asyncDispose]());

  for (const one of dockerfileCases.filter(({ quick }) => quick))
    test(one.name, async () => {
      const { verdict, lines } = await runCase(workshop, one);
      assert.notEqual(verdict, 'wrong', lines.join('\n'));
    });
});

test('every case has a name of its own and, where builders differ, a reason', () => {
  const names = dockerfileCases.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, differs, unknown } of dockerfileCases) {
    assert.ok(differs === undefined || unknown === undefined, name);
    assert.ok(differs === undefined || (differs.what.length > 0 && differs.why.length > 20), name);
  }
});

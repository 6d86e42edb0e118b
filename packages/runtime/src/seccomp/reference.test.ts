import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nativeArchitecture } from './architectures.ts';
import { compileSeccomp } from './compile.ts';
import { loadProgram } from './testing/bpf.ts';
import { aimed, calls, families, familyOf, profiles } from './testing/profiles.ts';
import { expectedVerdict } from './testing/reference.ts';

function readable(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? `${member}` : member));
}

for (const processor of Object.keys(families)) {
  const native = nativeArchitecture(processor);
  assert.ok(native);
  const family = familyOf(processor);
  const samples = fc.array(calls(family), { minLength: 1, maxLength: 200, size: 'max' });

  test(`${processor}: a filter returns what the profile means`, () => {
    fc.assert(
      fc.property(profiles(processor), samples, (profile, sample) => {
        const { program } = compileSeccomp(profile, { architecture: processor });
        const filter = loadProgram(program, native.endian);
        for (const data of [...sample, ...aimed(sample, profile, family)]) {
          const expected = expectedVerdict(profile, data, native.name);
          assert.equal(filter.run(data).value, expected, readable(data));
        }
      }),
      { numRuns: 60 },
    );
  });
}

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseSpec } from '@ocijs/bundle/spec';
import { compilePlan } from '../plan/compile.ts';
import { planInput } from '../plan/testing/input.ts';
import { checkSpec } from './check.ts';
import { compileFilter } from './seccomp.ts';

const directory = fileURLToPath(new URL('./testdata/configs', import.meta.url));

for (const path of globSync(join(directory, 'good/*.json')).sort()) {
  test(`${basename(path)} is accepted`, async () => {
    const spec = parseSpec(readFileSync(path));
    if (spec.process?.args === undefined || spec.linux === undefined) return;
    checkSpec(spec);
    const seccomp = await compileFilter(spec.linux.seccomp, undefined);
    compilePlan(planInput(spec, { seccomp, host: { labels: { selinux: true, apparmor: true } } }));
  });
}

for (const path of globSync(join(directory, 'bad/*.json')).sort()) {
  test(`${basename(path)} is refused`, () => {
    assert.throws(() => parseSpec(readFileSync(path)), { code: /^ERR_OCI_(SPEC|JSON)_INVALID$/ });
  });
}

test('there are configurations of both kinds', () => {
  for (const kind of ['good', 'bad']) assert.ok(existsSync(join(directory, kind)));
  assert.equal(globSync(join(directory, '*/*.json')).length, 9);
});

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('docs/errors.md lists every error code, and no other', () => {
  const codes = new Set<string>();
  for (const file of globSync('packages/*/src/errors.ts', { cwd: root }))
    for (const [code] of readFileSync(root + file, 'utf8').matchAll(/ERR_OCI_[A-Z0-9_]+/g)) codes.add(code);
  const listed = [
    ...readFileSync(`${root}docs/errors.md`, 'utf8').matchAll(/^\| `(ERR_OCI_[A-Z0-9_]+)` \|/gm),
  ];
  assert.ok(codes.size > 20, 'the unions were found');
  assert.deepEqual(listed.map(([, code = '']) => code).sort(), [...codes].sort());
});

test('every error code is thrown somewhere', () => {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !/errors\.ts$|\.test\.ts$/.test(file),
  );
  const text = sources.map((file) => readFileSync(root + file, 'utf8')).join('\n');
  for (const file of globSync('packages/*/src/errors.ts', { cwd: root }))
    for (const [code] of readFileSync(root + file, 'utf8').matchAll(/ERR_OCI_[A-Z0-9_]+/g))
      assert.ok(text.includes(`'${code}'`), `${code} of ${file} is never thrown`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifest } from '../project/package-manifest.ts';
import { describeProject } from './describe-project.ts';

const describe = (fields: object) =>
  Object.fromEntries(
    Object.entries(describeProject(parseManifest({ ...fields }))).map(([key, value]) => [
      key.replace(/^.*\./, ''),
      value,
    ]),
  );

test('where the source is', () => {
  const cases: readonly (readonly [unknown, string | undefined])[] = [
    ['acme/app', 'https://github.com/acme/app'],
    ['gitlab:acme/app', 'https://gitlab.com/acme/app'],
    [{ type: 'git', url: 'git+https://github.com/acme/app.git' }, 'https://github.com/acme/app'],
    ['git@github.com:acme/app.git', 'https://github.com/acme/app'],
    ['git+ssh://git@github.com/acme/app.git#main', 'https://github.com/acme/app'],
    ['git://github.com/acme/app.git', 'https://github.com/acme/app'],
    ['https://token:x@git.example.com/app?key=1', 'https://git.example.com/app'],
    ['javascript:alert(1)', undefined],
    ['/srv/app', undefined],
    [7, undefined],
  ];
  for (const [repository, source] of cases) assert.equal(describe({ repository })['source'], source);
});

test('only what has its form', () => {
  assert.deepEqual(
    describe({
      name: '@a/b',
      version: '1.2.3-rc.1+5',
      license: '(MIT OR Apache-2.0)',
      description: 'An app',
    }),
    { title: '@a/b', version: '1.2.3-rc.1+5', licenses: '(MIT OR Apache-2.0)', description: 'An app' },
  );
  const others = {
    name: 'a\nb',
    version: 'latest; rm',
    license: 'SEE LICENSE IN x',
    description: `\u001b[0m`,
  };
  assert.deepEqual(describe(others), {});
});

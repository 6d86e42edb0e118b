import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { shopFiles, shopLocks } from '../../testing/node-shop.ts';
import { parseManifest } from '../project/package-manifest.ts';
import type { NodeLock } from './node-lock.ts';
import { parseNpmLock } from './npm-lock.ts';
import { parsePnpmLock } from './pnpm-lock.ts';
import { parseYarnBerryLock } from './yarn-berry-lock.ts';
import { parseYarnClassicLock } from './yarn-classic-lock.ts';

const manifestOf = (fields: object) => parseManifest({ ...fields });
const root = manifestOf({ workspaces: ['packages/*'], devDependencies: { semver: '7.6.0' } });
const members = new Map([
  ['@shop/api', 'packages/api'],
  ['@shop/lib', 'packages/lib'],
]);

const parsers: Readonly<Record<string, (bytes: Uint8Array, file: string) => NodeLock>> = {
  npm: parseNpmLock,
  'npm-2': parseNpmLock,
  'pnpm-6': parsePnpmLock,
  'pnpm-9': parsePnpmLock,
  'yarn-1': (bytes, file) => parseYarnClassicLock(bytes, file, { root, members }),
  'yarn-berry': (bytes, file) => parseYarnBerryLock(bytes, file, { root }),
};

const api = (kind: string) =>
  manifestOf(
    JSON.parse(
      shopFiles({ layout: kind.startsWith('pnpm') ? 'pnpm' : 'flat' })['packages/api/package.json'] ?? '',
    ) as object,
  );

/** What a project needs, by the names and versions that the lock file has. */
function closure(lock: NodeLock, directory: string, manifest = manifestOf({})): readonly string[] {
  const found = new Set<string>();
  const visit = (one: ReturnType<NodeLock['project']>): void => {
    for (const { id, name, isOptional } of one?.dependencies ?? []) {
      const locked = id === undefined ? undefined : lock.package(id);
      assert.ok(locked, `${name} (${id})`);
      const { os, cpu } = locked.constraints;
      const text =
        locked.directory ??
        `${locked.name}@${locked.version} ${locked.origin} ${os}/${cpu}${isOptional ? ' optional' : ''}`;
      if (found.has(text)) continue;
      found.add(text);
      visit(
        locked.directory === undefined
          ? locked
          : lock.project(locked.directory, manifestOf({ dependencies: { ms: '~2.1.3' } })),
      );
    }
  };
  visit(lock.project(directory, manifest));
  return [...found].sort();
}

describe('lock files of the managers', () => {
  for (const [kind, file] of Object.entries(shopLocks))
    test(`${kind}: what a project needs in production`, async () => {
      const bytes = await readFile(new URL(`../testdata/${kind}/${file}`, import.meta.url));
      const lock = parsers[kind]?.(bytes, file);
      assert.ok(lock);
      assert.deepEqual([...lock.members].sort(), ['packages/api', 'packages/lib']);
      const hasPlatforms = kind !== 'yarn-1';
      assert.deepEqual(closure(lock, 'packages/api', api(kind)), [
        ...(hasPlatforms
          ? [
              '@esbuild/linux-arm64@0.25.0 registry linux/arm64 optional',
              '@esbuild/linux-x64@0.25.0 registry linux/x64 optional',
            ]
          : [
              '@esbuild/linux-arm64@0.25.0 registry / optional',
              '@esbuild/linux-x64@0.25.0 registry / optional',
            ]),
        'debug@4.3.4 registry /',
        kind === 'yarn-berry'
          ? 'fsevents@2.3.3 registry darwin/ optional'
          : `fsevents@2.3.3 registry ${hasPlatforms ? 'darwin' : ''}/ optional`,
        'ms@2.0.0 registry /',
        'ms@2.1.2 registry /',
        'ms@2.1.3 registry /',
        'packages/lib',
      ]);
      assert.equal(lock.project('packages/other', manifestOf({})), undefined);
      assert.equal(lock.drift('packages/api', api(kind)), undefined);
    });

  for (const [kind, file] of Object.entries(shopLocks))
    test(`${kind}: a package.json that asks for something else`, async () => {
      const bytes = await readFile(new URL(`../testdata/${kind}/${file}`, import.meta.url));
      const lock = parsers[kind]?.(bytes, file);
      const text =
        shopFiles({ layout: kind.startsWith('pnpm') ? 'pnpm' : 'flat' })['packages/api/package.json'] ?? '';
      const changed = (from: string, to: string) => manifestOf(JSON.parse(text.replace(from, to)) as object);
      assert.match(
        lock?.drift('packages/api', changed('"debug": "4.3.4"', '"debug": "^4.4.0"')) ?? '',
        /debug@\^4\.4\.0/,
      );
      assert.match(
        lock?.drift('packages/api', changed('"debug": ', '"other": "1.0.0", "debug": ')) ?? '',
        /other@1\.0\.0/,
      );
      assert.match(
        lock?.drift('packages/api', changed('"picocolors": "1.1.1"', '"picocolors": "2.0.0"')) ?? '',
        /picocolors@2/,
      );
    });
});

describe('lock files that are refused', () => {
  const refused = (what: string, message: RegExp, read: () => NodeLock): void => {
    test(what, () => {
      assert.throws(read, (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_NODE_LOCK_INVALID'), String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  };
  const npm = (text: string) => () => parseNpmLock(Buffer.from(text), 'package-lock.json');
  const pnpm = (text: string) => () => parsePnpmLock(Buffer.from(text), 'pnpm-lock.yaml');
  const yarn = (text: string) => () =>
    parseYarnClassicLock(Buffer.from(text), 'yarn.lock', { root, members });
  const berry = (text: string) => () => parseYarnBerryLock(Buffer.from(text), 'yarn.lock', { root });
  refused('no JSON', /package-lock.json is no JSON/, npm('{'));
  refused('a name twice', /is no JSON/, npm('{"lockfileVersion":3,"packages":{"":{},"":{}}}'));
  refused('version 1 of npm', /version 1/, npm('{"lockfileVersion":1,"dependencies":{}}'));
  refused('without packages', /has no packages/, npm('{"lockfileVersion":3}'));
  refused('no YAML', /is no YAML/, pnpm('a: b: c'));
  refused('a name of YAML twice', /is no YAML/, pnpm("lockfileVersion: '9.0'\nlockfileVersion: '9.0'\n"));
  refused('a list', /is no map/, pnpm('- a'));
  refused('an old version of pnpm', /version 5\.4/, pnpm('lockfileVersion: 5.4'));
  refused(
    'a bomb of aliases',
    /is no YAML/,
    pnpm(`lockfileVersion: '9.0'\na: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n`),
  );
  refused('without its metadata', /__metadata/, berry('"a@npm:1":\n  version: 1.0.0\n'));
  refused('a line that is none', /line 2/, yarn('a@1:\n  version "1\n'));
  refused('a field without a package', /line 1/, yarn('  version "1"\n'));
  refused('something too deep', /line 4/, yarn('a@1:\n  dependencies:\n    b "1"\n      c "1"\n'));
});

test('names that lead elsewhere are names of nothing', () => {
  const lock = parseNpmLock(
    Buffer.from(
      JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': { dependencies: { '../../etc': '1', __proto__: '1' } },
          '../other': { version: '1.0.0' },
          'node_modules/../../etc': { version: '1.0.0' },
        },
      }),
    ),
    'package-lock.json',
  );
  assert.deepEqual(lock.members, []);
  assert.equal(lock.project('constructor', manifestOf({})), undefined);
});

test('yarn 1: words, texts and comments', () => {
  const text = [
    '# yarn lockfile v1',
    '',
    '"@a/b@^1.0.0", "@a/b@~1.0.0", c@1:',
    '  version "1.0.1"',
    '  resolved "https://registry.yarnpkg.com/@a/b/-/b-1.0.1.tgz#abc"',
    '  integrity sha512-AAAA==',
    '  dependencies:',
    '    d "1 || 2"',
    '  optionalDependencies:',
    '    "@e/f" "^3"',
    '',
    'd@1 || 2, d@1:\r',
    '  version "2.0.0"',
    '  resolved "git+https://git.example.com/d.git#abc"',
    '"@e/f@^3":',
    '  version "3.0.0"',
  ].join('\n');
  const lock = parseYarnClassicLock(
    Buffer.from(text.replace('d@1 || 2, d@1:', '"d@1 || 2", d@1:')),
    'yarn.lock',
    { root, members },
  );
  const own = lock.project('.', manifestOf({ dependencies: { '@a/b': '~1.0.0', c: '1' } }));
  assert.deepEqual(
    own?.dependencies.map(({ id }) => id),
    ['@a/b@^1.0.0', '@a/b@^1.0.0'],
  );
  const found = lock.package('@a/b@^1.0.0');
  assert.deepEqual(found?.dependencies, [
    { name: 'd', id: 'd@1 || 2', isOptional: false },
    { name: '@e/f', id: '@e/f@^3', isOptional: true },
  ]);
  assert.equal(lock.package('d@1 || 2')?.origin, 'other');
});

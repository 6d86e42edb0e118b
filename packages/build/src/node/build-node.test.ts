import assert from 'node:assert/strict';
import { chmod, cp, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parsePlatform } from '@ocijs/image';
import { app, digestsOf, filesOf, place, refused } from '../testing/node-place.ts';
import { publishedFiles, readShopLock, shopFiles, shopLocks } from '../testing/node-shop.ts';

describe('a project of a workspace', () => {
  const flat = {
    'node_modules/@esbuild/linux-x64/index.js': '644 0:0',
    'node_modules/@esbuild/linux-x64/package.json': '644 0:0',
    'node_modules/@shop/lib': '-> ../../packages/lib',
    'node_modules/debug/index.js': '644 0:0',
    'node_modules/debug/node_modules/ms/index.js': '644 0:0',
    'node_modules/debug/node_modules/ms/package.json': '644 0:0',
    'node_modules/debug/package.json': '644 0:0',
    'node_modules/ms/index.js': '644 0:0',
    'node_modules/ms/package.json': '644 0:0',
    'node_modules/short/index.js': '644 0:0',
    'node_modules/short/package.json': '644 0:0',
    'packages/api/main.js': '644 0:0',
    'packages/api/package.json': '644 0:0',
    'packages/lib/index.js': '644 0:0',
    'packages/lib/package.json': '644 0:0',
  };

  test('npm, yarn 1 and yarn 4 install alike, and the image is the same', async () => {
    const digests = new Set<string>();
    for (const kind of ['npm', 'npm-2', 'yarn-1', 'yarn-berry']) {
      await using at = await place(shopFiles({ layout: 'flat' }));
      await writeFile(join(at.directory, shopLocks[kind] ?? ''), await readShopLock(kind));
      const result = await at.build({ directory: join(at.directory, 'packages/api') });
      assert.deepEqual(await filesOf(result), flat, kind);
      assert.deepEqual(
        result.image.config.history?.slice(-5).map((entry) => entry.created_by),
        [
          'packages for linux/amd64: @esbuild/linux-x64',
          'packages: debug, ms',
          'packages of the repository: @shop/lib',
          'application @shop/api',
          'what containers start with',
        ],
      );
      const { config } = result.image.config;
      assert.deepEqual(config?.Entrypoint, ['node', 'main.js', '--verbose']);
      assert.equal(config?.WorkingDir, '/app/packages/api');
      digests.add(result.descriptor.digest);
    }
    assert.equal(digests.size, 1);
  });

  test('pnpm: the packages are where they were, and links lead to those that are there', async () => {
    const digests = new Set<string>();
    for (const kind of ['pnpm-6', 'pnpm-9']) {
      await using at = await place(shopFiles({ layout: 'pnpm' }));
      await writeFile(join(at.directory, 'pnpm-lock.yaml'), await readShopLock(kind));
      const result = await at.build({ directory: join(at.directory, 'packages/api') });
      const files = await filesOf(result);
      const links = Object.entries(files).filter(([, text]) => text.startsWith('->'));
      assert.deepEqual(Object.fromEntries(links), {
        'node_modules/.pnpm/debug@4.3.4/node_modules/ms': '-> ../../ms@2.1.2/node_modules/ms',
        'node_modules/.pnpm/node_modules/@esbuild/linux-x64':
          '-> ../../@esbuild+linux-x64@0.25.0/node_modules/@esbuild/linux-x64',
        'node_modules/.pnpm/node_modules/debug': '-> ../debug@4.3.4/node_modules/debug',
        'node_modules/.pnpm/node_modules/ms': '-> ../ms@2.0.0/node_modules/ms',
        'packages/api/node_modules/@esbuild/linux-x64':
          '-> ../../../../node_modules/.pnpm/@esbuild+linux-x64@0.25.0/node_modules/@esbuild/linux-x64',
        'packages/api/node_modules/@shop/lib': '-> ../../../lib',
        'packages/api/node_modules/debug': '-> ../../../node_modules/.pnpm/debug@4.3.4/node_modules/debug',
        'packages/api/node_modules/short': '-> ../../../node_modules/.pnpm/ms@2.0.0/node_modules/ms',
        'packages/lib/node_modules/ms': '-> ../../../node_modules/.pnpm/ms@2.1.3/node_modules/ms',
      });
      assert.ok(files['node_modules/.pnpm/ms@2.1.3/node_modules/ms/index.js']);
      assert.equal(files['node_modules/.pnpm/semver@7.6.0/node_modules/semver/package.json'], undefined);
      digests.add(result.descriptor.digest);
    }
    assert.equal(digests.size, 1);
  });

  test('another platform has its own packages, and shares all others', async () => {
    await using at = await place(shopFiles({ layout: 'flat' }));
    await writeFile(join(at.directory, 'package-lock.json'), await readShopLock('npm'));
    const directory = join(at.directory, 'packages/api');
    const here = await at.build({ directory });
    const there = await at.build({ directory, platform: parsePlatform('linux/arm64') });
    assert.ok((await filesOf(there))['node_modules/@esbuild/linux-arm64/index.js']);
    assert.equal((await filesOf(there))['node_modules/@esbuild/linux-x64/index.js'], undefined);
    assert.notEqual(digestsOf(there)[1], digestsOf(here)[1]);
    assert.deepEqual(digestsOf(there).slice(2), digestsOf(here).slice(2));
    await rm(join(at.directory, 'node_modules/@esbuild/linux-arm64'), { recursive: true });
    await refused(
      at.build({ directory, platform: parsePlatform('linux/arm64') }),
      'ERR_OCI_NODE_PLATFORM_MISMATCH',
      /@shop\/api|nothing for linux\/arm64 is installed/,
    );
  });
});

describe('what goes in', () => {
  test('neither secrets nor what is not asked for', async () => {
    await using at = await place({
      ...app,
      '.npmrc': '//registry.example.com/:_authToken=hunter2',
      '.env': 'PASSWORD=hunter2',
      '.env.production': 'PASSWORD=hunter2',
      'config/.env.local': 'PASSWORD=hunter2',
      '.yarnrc.yml': 'npmAuthToken: hunter2',
      '.git/config': 'hunter2',
      'node_modules/a/.npmrc': 'hunter2',
      'node_modules/a/node_modules/.bin/x': '-> /hunter2',
      'node_modules/.package-lock.json': '{}',
      'node_modules/extraneous/index.js': 'hunter2',
      '.dockerignore': '*.log\n!.npmrc\n!.env\nlocal\n!local/kept\n',
      'debug.log': 'hunter2',
      'local/left': 'hunter2',
      'local/kept': 'yes',
      'dist/main.js': 'built',
      'bin/run.sh': '#!/bin/sh\n',
      'link.js': '-> dist/main.js',
    });
    await chmod(join(at.directory, 'main.js'), 0o600);
    const result = await at.build();
    assert.deepEqual(await filesOf(result), {
      'bin/run.sh': '755 0:0',
      'dist/main.js': '644 0:0',
      'link.js': '-> dist/main.js',
      'local/kept': '644 0:0',
      'main.js': '644 0:0',
      'node_modules/a/index.js': '644 0:0',
      'node_modules/a/package.json': '644 0:0',
      'node_modules/b/index.js': '644 0:0',
      'node_modules/b/package.json': '644 0:0',
      'package.json': '644 0:0',
    });
    for (const { digest } of result.image.manifest.layers) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of at.store.read({
        digest,
        size: (await at.store.size(digest)) ?? 0,
        mediaType: '',
      }))
        chunks.push(chunk);
      assert.ok(!gunzipSync(Buffer.concat(chunks)).includes('hunter2'));
    }
  });

  test('package.json.dockerignore goes before .dockerignore, which may be for a Dockerfile that builds', async () => {
    await using at = await place({
      ...app,
      'package.json': JSON.stringify({
        name: 'app',
        scripts: { start: 'node dist/main.js' },
        dependencies: { a: '^1.0.0', b: '2' },
      }),
      'dist/main.js': 'built',
      '.dockerignore': 'dist\n',
    });
    await refused(at.build(), 'ERR_OCI_NODE_START_UNKNOWN', /dist\/main.js.*excluded/);
    await writeFile(join(at.directory, 'package.json.dockerignore'), 'main.js\n');
    const files = await filesOf(await at.build());
    assert.ok(files['dist/main.js']);
    assert.equal(files['main.js'], undefined);
  });

  test('programs of dependencies have links in .bin and may be executed', async () => {
    await using at = await place({
      ...app,
      'package.json': JSON.stringify({
        name: 'app',
        scripts: { start: 'MODE="a b" a --port 3000' },
        dependencies: { a: '^1.0.0', b: '2' },
      }),
      ...publishedFiles('node_modules/a', {
        name: 'a',
        version: '1.2.0',
        bin: { a: './cli.js', '../x': 'cli.js', out: '../../main.js' },
      }),
      'node_modules/a/cli.js': '#!/usr/bin/env node\n',
    });
    await chmod(join(at.directory, 'node_modules/a/cli.js'), 0o644);
    const result = await at.build();
    const files = await filesOf(result);
    assert.equal(files['node_modules/.bin/a'], '-> ../a/cli.js');
    assert.equal(files['node_modules/.bin/x'], '-> ../a/cli.js');
    assert.equal(files['node_modules/.bin/out'], undefined);
    assert.equal(files['node_modules/a/cli.js'], '755 0:0');
    assert.deepEqual(result.image.config.config?.Entrypoint, [
      'node',
      'node_modules/a/cli.js',
      '--port',
      '3000',
    ]);
    assert.ok(result.image.config.config?.Env?.includes('MODE=a b'));
  });
});

describe('the same input', () => {
  test('gives the same digest in another directory, with other times and modes', async () => {
    await using at = await place(app);
    const first = await at.build();
    await using other = await place();
    await cp(at.directory, other.directory, { recursive: true });
    for (const name of ['main.js', 'node_modules/a/index.js', 'node_modules']) {
      await chmod(join(other.directory, name), name.endsWith('.js') ? 0o600 : 0o700);
      await utimes(join(other.directory, name), 1, 1);
    }
    await writeFile(join(other.directory, 'node_modules/.package-lock.json'), 'whatever');
    const second = await other.build();
    assert.equal(second.descriptor.digest, first.descriptor.digest);
  });

  test('is not built again, and a change is one layer', async () => {
    await using at = await place({
      ...app,
      ...publishedFiles('node_modules/b', { name: 'b', version: '2.0.0', cpu: 'x64' }),
    });
    const first = await at.build();
    assert.deepEqual(first.steps, { done: 4, cached: 0 });
    assert.deepEqual((await at.build()).steps, { done: 1, cached: 3 });
    await writeFile(join(at.directory, 'main.js'), 'changed');
    const second = await at.build();
    assert.deepEqual(digestsOf(second).slice(0, -1), digestsOf(first).slice(0, -1));
    assert.notEqual(digestsOf(second).at(-1), digestsOf(first).at(-1));
    assert.deepEqual(second.steps, { done: 2, cached: 2 });
    await writeFile(join(at.directory, 'node_modules/a/index.js'), 'changed');
    const third = await at.build({ created: 1_000_000_000 });
    const changed = digestsOf(third).map((digest, index) => digest !== digestsOf(second)[index]);
    assert.deepEqual(changed, [false, false, true, true], 'the time is that of the project alone');
  });
});

describe('what managers install in their own ways', () => {
  const bundling = {
    name: 'a',
    version: '1.2.0',
    dependencies: { own: '1', b: '2' },
    bundleDependencies: ['own'],
  };

  test('packages that came with a package are its files, whatever the lock file has', async () => {
    await using at = await place({
      ...app,
      'package-lock.json': '',
      'yarn.lock': `a@^1.0.0:
  version "1.2.0"
  dependencies:
    b "2"
    own "1"
b@2:
  version "2.0.0"
own@1:
  version "1.9.0"
`,
      ...publishedFiles('node_modules/a', bundling),
      ...publishedFiles('node_modules/a/node_modules/own', { name: 'own', version: '1.0.0' }),
      'node_modules/a/node_modules/own/node_modules/.bin/x': '-> ../../../../../../main.js',
    });
    await rm(join(at.directory, 'package-lock.json'));
    const files = Object.keys(await filesOf(await at.build()));
    assert.ok(files.includes('node_modules/a/node_modules/own/index.js'));
    assert.ok(!files.some((path) => path.includes('.bin')));
  });

  test("ranges that yarn's resolutions replace", async () => {
    const dependencies = { a: '^1.0.0' };
    const manifest = { name: 'app', main: 'main.js', dependencies, resolutions: { 'a/b': '2.0.0' } };
    await using at = await place({
      'package.json': JSON.stringify(manifest),
      'yarn.lock':
        'a@^1.0.0:\n  version "1.2.0"\n  dependencies:\n    b "^1.0.0"\nb@2.0.0:\n  version "2.0.0"\n',
      'main.js': '',
      ...publishedFiles('node_modules/a', { name: 'a', version: '1.2.0' }),
      ...publishedFiles('node_modules/b', { name: 'b', version: '2.0.0' }),
    });
    assert.ok((await filesOf(await at.build()))['node_modules/b/index.js']);
    await writeFile(join(at.directory, 'node_modules/b/package.json'), '{"name":"b","version":"1.0.0"}');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /b is of version 1.0.0/);
  });

  test('pnpm without links, and packages that it shows to all', async () => {
    const { 'packages/api/package.json': manifest = '' } = shopFiles({ layout: 'pnpm' });
    await using at = await place({
      ...shopFiles({ layout: 'flat' }),
      'packages/api/package.json': manifest,
      'pnpm-lock.yaml': await readShopLock('pnpm-9'),
    });
    const files = await filesOf(await at.build({ directory: join(at.directory, 'packages/api') }));
    assert.ok(files['node_modules/debug/node_modules/ms/index.js']);
    assert.equal(files['node_modules/semver/index.js'], undefined);
    await using other = await place({
      ...shopFiles({ layout: 'pnpm' }),
      'node_modules/debug': '-> .pnpm/debug@4.3.4/node_modules/debug',
      'node_modules/.pnpm/node_modules/semver': '-> ../semver@7.6.0/node_modules/semver',
      'pnpm-lock.yaml': await readShopLock('pnpm-9'),
    });
    const linked = await filesOf(await other.build({ directory: join(other.directory, 'packages/api') }));
    assert.equal(linked['node_modules/debug'], '-> .pnpm/debug@4.3.4/node_modules/debug');
    assert.equal(linked['node_modules/.pnpm/node_modules/semver'], undefined);
    assert.equal(linked['node_modules/semver'], undefined);
  });

  test("peers of npm, links into the repository, and Prisma's generated client", async () => {
    const dependencies = { '@prisma/client': '1', local: 'file:vendor/local' };
    await using at = await place({
      'package.json': JSON.stringify({ name: 'app', main: 'main.js', dependencies }),
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': { dependencies },
          'node_modules/@prisma/client': { version: '1.0.0', peerDependencies: { b: '2', left: '1' } },
          'node_modules/b': { version: '2.0.0', peer: true },
          'node_modules/local': { resolved: 'vendor/local', link: true },
          'vendor/local': { version: '0.0.0' },
        },
      }),
      'main.js': '',
      ...publishedFiles('node_modules/@prisma/client', { name: '@prisma/client', version: '1.0.0' }),
      'node_modules/.prisma/client/index.js': 'generated',
      ...publishedFiles('node_modules/b', { name: 'b', version: '2.0.0' }),
      'node_modules/local': '-> ../vendor/local',
      ...publishedFiles('vendor/local', { name: 'local', version: '0.0.0' }),
    });
    assert.deepEqual(Object.keys(await filesOf(await at.build())), [
      'main.js',
      'node_modules/.prisma/client/index.js',
      'node_modules/@prisma/client/index.js',
      'node_modules/@prisma/client/package.json',
      'node_modules/b/index.js',
      'node_modules/b/package.json',
      'node_modules/local',
      'package.json',
      'vendor/local/index.js',
      'vendor/local/package.json',
    ]);
  });
});

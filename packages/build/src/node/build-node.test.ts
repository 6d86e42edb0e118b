import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  buildLayer,
  openStore,
  parsePlatform,
  pathOf,
  readImageTree,
  type Store,
  walkTree,
  writeImage,
} from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import type { BuildEvent, BuildResult } from '../executor/types.ts';
import {
  type ProjectFiles,
  publishedFiles,
  readShopLock,
  shopFiles,
  shopLocks,
  writeFiles,
} from '../testing/node-shop.ts';
import { type BuildNodeOptions, buildNode } from './build-node.ts';

interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly events: BuildEvent[];
  build(options?: Partial<BuildNodeOptions>): Promise<BuildResult>;
}

/** A project in `project`, a store, and in it the base `node` of two platforms. */
async function place(files: ProjectFiles = {}): Promise<Place> {
  const temporary = await mkdtemp(join(tmpdir(), 'oci-node-'));
  const directory = join(temporary, 'project');
  await mkdir(directory);
  await writeFiles(directory, files);
  const store = await openStore(join(temporary, 'store'));
  for (const platform of ['linux/amd64', 'linux/arm64'])
    await writeImage(store, {
      name: `node-${platform.slice(6)}`,
      layers: [await buildLayer([{ header: { name: 'etc/hostname', size: 0 } }])],
      platform: parsePlatform(platform),
      config: { Env: ['PATH=/bin'], Entrypoint: ['start'], Cmd: ['node'] },
    });
  const events: BuildEvent[] = [];
  return {
    directory,
    store,
    events,
    build: (options = {}) =>
      buildNode({
        store,
        directory,
        base: 'node',
        platform: parsePlatform('linux/amd64'),
        resolveImage: (_name, { platform }) => store.image(`node-${platform.architecture}`, { platform }),
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(temporary, { recursive: true });
    },
  };
}

/** The names in the image without those of the base: `mode uid:gid`, or the target of a link. */
async function filesOf({ image }: BuildResult): Promise<Readonly<Record<string, string>>> {
  const nodes = [...walkTree(await readImageTree(image))];
  return Object.fromEntries(
    nodes.flatMap((node) => {
      const { type, mode, uid, gid, linkname } = node.inode.header;
      const path = pathOf(node);
      if (!path.startsWith('app/') || type === 'directory') return [];
      return [[path.slice(4), type === 'symlink' ? `-> ${linkname}` : `${mode.toString(8)} ${uid}:${gid}`]];
    }),
  );
}

const digestsOf = ({ image }: BuildResult): readonly string[] =>
  image.manifest.layers.map(({ digest }) => digest);

const app = {
  'package.json': JSON.stringify({
    name: 'app',
    version: '1.0.0',
    main: 'main.js',
    dependencies: { a: '^1.0.0', b: '2' },
  }),
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { a: '^1.0.0', b: '2' } },
      'node_modules/a': { version: '1.2.0' },
      'node_modules/b': { version: '2.0.0' },
    },
  }),
  'main.js': 'require("a");\n',
  ...publishedFiles('node_modules/a', { name: 'a', version: '1.2.0' }),
  ...publishedFiles('node_modules/b', { name: 'b', version: '2.0.0' }),
};

async function refused(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isOciError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

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

describe('settings', () => {
  test('of package.json, of the base and of the caller', async () => {
    await using at = await place({
      ...app,
      'package.json': JSON.stringify({
        name: 'app',
        version: '1.0.0',
        license: 'MIT',
        repository: 'git+https://user:hunter2@git.example.com/a/b.git',
        main: './main',
        dependencies: { a: '^1.0.0', b: '2' },
      }),
    });
    const { image } = await at.build({ labels: { 'org.opencontainers.image.title': 'mine' } });
    assert.deepEqual(image.config.config, {
      Entrypoint: ['node', 'main.js'],
      Env: ['PATH=/bin', 'NODE_ENV=production'],
      Labels: {
        'org.opencontainers.image.licenses': 'MIT',
        'org.opencontainers.image.source': 'https://git.example.com/a/b',
        'org.opencontainers.image.title': 'mine',
        'org.opencontainers.image.version': '1.0.0',
      },
      StopSignal: 'SIGTERM',
      User: '1000:1000',
      WorkingDir: '/app',
    });
    const base = await at.store.image('node-amd64');
    const { annotations } = image.manifest;
    assert.equal(annotations?.['org.opencontainers.image.base.name'], 'docker.io/library/node:latest');
    assert.equal(annotations?.['org.opencontainers.image.base.digest'], base.descriptor.digest);
    assert.equal(annotations?.['org.opencontainers.image.title'], 'app');
    const other = await at.build({ entrypoint: ['worker'], command: ['--fast'] });
    assert.deepEqual(other.image.config.config?.Entrypoint, ['worker']);
    assert.deepEqual(other.image.config.config?.Cmd, ['--fast']);
  });

  test("the base's own node and its ordinary user stay; its triggers are not meant", async () => {
    await using at = await place(app);
    await writeImage(at.store, {
      name: 'distroless',
      layers: [],
      platform: parsePlatform('linux/amd64'),
      config: { User: '65532', Entrypoint: ['/nodejs/bin/node'], OnBuild: ['RUN false'] },
    });
    const { image } = await at.build({ base: 'distroless', resolveImage: undefined });
    assert.deepEqual(image.config.config?.Entrypoint, ['/nodejs/bin/node', 'main.js']);
    assert.equal(image.config.config?.User, '65532');
    assert.equal(image.config.config?.OnBuild, undefined);
  });

  test('the base is of the version that the project asks for, and locked like any other source', async () => {
    await using at = await place({ ...app, '.nvmrc': 'v22.11.0\n' });
    const { sources } = await at.build({ base: undefined });
    assert.deepEqual(
      sources.map(({ type, name }) => [type, name]),
      [['image', 'node:22-slim']],
    );
    await at.build({ base: undefined, locked: sources });
    await refused(at.build({ locked: sources }), 'ERR_OCI_BUILD_LOCK_DRIFT', /node is not in the lock file/);
  });

  test('the C library of the base decides between packages', async () => {
    const platformOf = (libc: string) => ({
      version: '1.0.0',
      os: ['linux'],
      cpu: ['x64'],
      libc: [libc],
      optional: true,
    });
    await using at = await place({
      'package.json': JSON.stringify({
        name: 'app',
        main: 'main.js',
        optionalDependencies: { gnu: '1', musl: '1' },
      }),
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': { optionalDependencies: { gnu: '1', musl: '1' } },
          'node_modules/gnu': platformOf('glibc'),
          'node_modules/musl': platformOf('musl'),
        },
      }),
      'main.js': '',
      ...publishedFiles('node_modules/gnu', { name: 'gnu', version: '1.0.0' }),
      ...publishedFiles('node_modules/musl', { name: 'musl', version: '1.0.0' }),
    });
    const loader = [{ header: { name: 'lib/ld-musl-x86_64.so.1', size: 1 }, body: Buffer.from('x') }];
    await writeImage(at.store, {
      name: 'alpine',
      layers: [await buildLayer(loader)],
      platform: parsePlatform('linux/amd64'),
    });
    const packagesOf = async (result: BuildResult) =>
      Object.keys(await filesOf(result)).filter((path) => path.endsWith('index.js'));
    assert.deepEqual(await packagesOf(await at.build()), ['node_modules/gnu/index.js']);
    const onMusl = await at.build({ base: 'alpine', resolveImage: undefined });
    assert.deepEqual(await packagesOf(onMusl), ['node_modules/musl/index.js']);
  });
});

describe('what is refused', () => {
  test('projects that are none, and lock files that are missing or of something else', async () => {
    await using at = await place(app);
    const lock = join(at.directory, 'package-lock.json');
    const text = await readFile(lock, 'utf8');
    await refused(
      at.build({ directory: `${at.directory}/none` }),
      'ERR_OCI_NODE_PROJECT_INVALID',
      /none does not exist/,
    );
    await refused(
      at.build({ directory: `${at.directory}/node_modules` }),
      'ERR_OCI_NODE_PROJECT_INVALID',
      /no package.json/,
    );
    await writeFile(lock, text.replaceAll('^1.0.0', '^0.9.0'));
    await refused(at.build(), 'ERR_OCI_NODE_LOCK_DRIFT', /a@\^1.0.0, the lock file has \^0.9.0/);
    await writeFile(lock, text);
    await writeFile(join(at.directory, 'yarn.lock'), '');
    await refused(
      at.build(),
      'ERR_OCI_NODE_LOCK_INVALID',
      /several lock files: package-lock.json, yarn.lock/,
    );
    await rm(lock);
    await rm(join(at.directory, 'yarn.lock'));
    await refused(at.build(), 'ERR_OCI_NODE_LOCK_MISSING', /no lock file/);
  });

  test('packages that are missing, or other ones', async () => {
    await using at = await place(app);
    const manifest = join(at.directory, 'node_modules/a/package.json');
    await writeFile(manifest, '{"name":"a","version":"1.3.0"}');
    await refused(
      at.build(),
      'ERR_OCI_NODE_NOT_INSTALLED',
      /a is of version 1.3.0 in node_modules, and 1.2.0 in package-lock.json/,
    );
    await writeFile(manifest, '{"name":"x","version":"1.2.0"}');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is x in node_modules/);
    await rm(join(at.directory, 'node_modules/a'), { recursive: true });
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is not in node_modules/);
    await writeFile(join(at.directory, '.pnp.cjs'), '');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /Plug'n'Play/);
  });

  test('links that lead out of the project', async () => {
    await using at = await place({
      ...app,
      '../outside/index.js': 'hunter2',
      '../outside/package.json': '{"name":"a","version":"1.2.0"}',
    });
    const link = async (path: string, target: string): Promise<void> => {
      await rm(join(at.directory, path), { recursive: true, force: true });
      await symlink(target, join(at.directory, path));
    };
    for (const target of ['../../outside', join(at.directory, '../outside')]) {
      await link('node_modules/a', target);
      await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /node_modules\/a is a link to .*outside/);
    }
    await link('node_modules/a', 'b');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is b/);
    await rm(join(at.directory, 'node_modules/a'));
    await writeFiles(at.directory, publishedFiles('node_modules/a', { name: 'a', version: '1.2.0' }));
    for (const path of ['node_modules/a/data', 'data'])
      for (const target of ['../../../outside/index.js', '/etc/passwd']) {
        await link(path, target);
        await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /data is a link to/);
        await rm(join(at.directory, path));
      }
    await rm(join(at.directory, 'node_modules'), { recursive: true });
    await link('node_modules', '../outside');
    await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /node_modules is a link/);
  });

  test('names of a lock file that lead elsewhere', async () => {
    const dependencies = { '../../../outside': '1' };
    await using at = await place({
      ...app,
      'package.json': JSON.stringify({ name: 'app', main: 'main.js', dependencies }),
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: { '': { dependencies }, 'node_modules/../../../outside': { version: '1.0.0' } },
      }),
      '../outside/package.json': '{"name":"outside","version":"1.0.0"}',
    });
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /outside is not in node_modules/);
  });

  test('what an install script compiled for another platform', async () => {
    const elf = Buffer.alloc(64);
    elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1], 0);
    elf.writeUInt16LE(0xb7, 18);
    await using at = await place({
      ...app,
      'node_modules/a/binding.gyp': '{}',
      'node_modules/a/build/Makefile': 'at /home/me',
      'node_modules/a/build/Release/.keep': '',
    });
    const addon = join(at.directory, 'node_modules/a/build/Release/a.node');
    await writeFile(addon, elf);
    await refused(
      at.build(),
      'ERR_OCI_NODE_PLATFORM_MISMATCH',
      /a.node is for linux\/arm64, and the image for linux\/amd64/,
    );
    const there = await at.build({ platform: parsePlatform('linux/arm64') });
    const files = await filesOf(there);
    assert.ok(files['node_modules/a/build/Release/a.node']);
    assert.equal(files['node_modules/a/build/Makefile'], undefined);
    await rm(join(at.directory, 'node_modules/a/binding.gyp'));
    await at.build();
    assert.ok(at.events.some((event) => event.type === 'warning' && event.message.includes('a.node')));
    elf.writeUInt16LE(0x3e, 18);
    await mkdir(join(at.directory, 'node_modules/a/prebuilds'));
    await writeFile(join(at.directory, 'node_modules/a/prebuilds/x64.node'), elf);
    at.events.length = 0;
    await at.build();
    assert.ok(!at.events.some((event) => event.type === 'warning'));
  });

  test('a build that is called off', async () => {
    await using at = await place(app);
    const controller = new AbortController();
    controller.abort(new Error('called off'));
    await assert.rejects(at.build({ signal: controller.signal }), /called off/);
  });
});

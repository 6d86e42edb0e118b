import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildLayer, parsePlatform, writeImage } from '@ocijs/image';
import type { BuildResult } from '../../executor/types.ts';
import { app, filesOf, place, refused } from '../../testing/node-place.ts';
import { publishedFiles } from '../../testing/node-shop.ts';

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

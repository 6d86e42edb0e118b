import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openLayout } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';
import { parseCacheSource, parseCacheTarget } from './cache-flags.ts';

describe('--cache-to and --cache-from', () => {
  let home: TestHome;
  let context: string;
  before(async () => {
    home = await testHome();
    context = join(home.directory, 'context');
    await mkdir(context);
    for (const name of ['a', 'b']) await writeFile(join(context, name), name);
    const lines = ['FROM scratch AS one', 'COPY a /a', 'FROM scratch', 'COPY --from=one /a /b', 'COPY b /c'];
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
  });
  after(() => home[Symbol.asyncDispose]());

  let stores = 0;
  /** Builds with a store of its own: another machine. */
  async function elsewhere(...flags: readonly string[]) {
    const store = join(home.directory, `store-${stores++}`);
    const args = ['build', '--json', '--store', store, '--plain-http', ...flags, context];
    const { status, stdout, stderr } = await home.oci(...args);
    assert.equal(status, 0, stderr);
    const { digest, platforms } = JSON.parse(stdout) as {
      digest: string;
      platforms: { steps: { done: number; cached: number } }[];
    };
    return { digest, cached: platforms.map(({ steps }) => steps.cached), stderr };
  }

  test('by way of a registry and a layout, also for several platforms', async () => {
    await using registry = await startRegistry({ directory: join(home.directory, `served-${stores++}`) });
    const layout = join(home.directory, 'cache');
    const ref = `${registry.host}/cache:main`;
    const platforms = ['--platform', 'linux/amd64,linux/arm64'];
    const first = await elsewhere(
      ...[...platforms, '--cache-to', `type=registry,ref=${ref},mode=max,compression=zstd`],
      ...['--cache-to', `type=local,dest=${layout},tag=t`],
    );
    const second = await elsewhere(...platforms, '--cache-from', ref);
    assert.equal(second.digest, first.digest);
    assert.deepEqual(second.cached, [3, 3]);
    const third = await elsewhere('--cache-from', `type=local,src=${layout},tag=t`);
    assert.deepEqual(third.cached, [2], 'the layers of the image, none of other stages');
    await using store = await openLayout(layout);
    const top = await store.resolve('t');
    assert.ok(top !== undefined);
    const { config } = JSON.parse(String(Buffer.from(await store.readAll(top))));
    assert.equal(config.mediaType, 'application/vnd.buildkit.cacheconfig.v0');
  });

  test('in the image itself', async () => {
    await using registry = await startRegistry({ directory: join(home.directory, `served-${stores++}`) });
    const name = `${registry.host}/app:1`;
    const first = await elsewhere('-t', name, '--push', '--cache-to', 'type=inline');
    const second = await elsewhere('--cache-from', `type=registry,ref=${name}`, '--cache-to', 'type=inline');
    assert.deepEqual([second.digest, second.cached], [first.digest, [2]]);
  });

  test('a cache that is not there is told, and the build goes on', async () => {
    await using registry = await startRegistry({ directory: join(home.directory, `served-${stores++}`) });
    const gone = ['--cache-from', `${registry.host}/none`, '--cache-from', 'type=local,src=/nowhere'];
    const { cached, stderr } = await elsewhere(...gone);
    assert.deepEqual(cached, [0]);
    assert.match(stderr, /no cache from .*none[\s\S]*no cache from \/nowhere/);
    const to = `type=registry,ref=127.0.0.1:1/x,ignore-error=true`;
    assert.match((await elsewhere('--cache-to', to, '--retry', '0')).stderr, /the cache was not written/);
  });
});

test('what the flags do not know is refused', () => {
  for (const text of ['type=gha', 'type=registry', 'type=local,dest=x', 'type=registry,ref=x,mode=max'])
    assert.throws(() => parseCacheSource(text), { code: 'ERR_OCI_USAGE' }, text);
  for (const text of [
    'type=s3,bucket=x',
    'type=local,src=x',
    'type=registry,ref=x,mode=most',
    'type=registry,ref=x,image-manifest=false',
    'type=inline,ref=x',
    'type=registry,ref=x,compression=estargz',
  ])
    assert.throws(() => parseCacheTarget(text), { code: 'ERR_OCI_USAGE' }, text);
});

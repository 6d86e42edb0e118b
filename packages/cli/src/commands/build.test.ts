import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRegistry } from '@ocijs/registry/server';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

describe('oci build', () => {
  let home: TestHome;
  let context: string;

  before(async () => {
    home = await testHome();
    context = join(home.directory, 'context');
    await mkdir(context);
    await writeFile(join(context, 'a'), 'text a\n');
    await writeFile(
      join(context, 'Dockerfile'),
      'ARG NAME=a\nFROM scratch AS one\nARG NAME TARGETOS\nCOPY $NAME /file\nLABEL os=$TARGETOS\nFROM one\nCMD ["/file"]\n',
    );
  });
  after(() => home[Symbol.asyncDispose]());

  const oci = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await home.oci(...args);
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };

  test('builds, names, and writes what it built to files', async () => {
    const [iid, metadata] = [join(home.directory, 'iid'), join(home.directory, 'metadata')];
    const document = JSON.parse(
      await oci(
        'build',
        '-t',
        'app:1',
        '-t',
        'app',
        '--json',
        '--iidfile',
        iid,
        '--metadata-file',
        metadata,
        context,
      ),
    );
    assert.deepEqual(document.names, ['docker.io/library/app:1', 'docker.io/library/app:latest']);
    assert.equal(await readFile(iid, 'utf8'), document.digest);
    assert.deepEqual(JSON.parse(await readFile(metadata, 'utf8')), document);
    assert.equal((await oci('build', '-q', context)).trim(), document.digest, 'again, the same digest');
    assert.equal(await oci('cat', 'app:1', '/file'), 'text a\n');
  });

  test('several platforms become an index, which is pushed', async () => {
    await using registry = await startRegistry({ directory: join(home.directory, 'registry') });
    const name = `${registry.host}/app:2`;
    const platforms = ['linux/amd64', 'linux/arm64'];
    const { digest } = JSON.parse(
      await oci('build', '--platform', platforms.join(','), '-t', name, '--push', '--json', context),
    );
    const inspected = JSON.parse(
      await oci('inspect', '--raw', `docker://${registry.host}/app@${digest}`, '--platform', 'linux/arm64'),
    );
    assert.ok(inspected.layers ?? inspected.manifests);
    assert.equal((await oci('tags', `${registry.host}/app`)).trim(), '2');
  });

  test('outputs', async () => {
    const at = (path: string): string => join(home.directory, path);
    await oci(
      'build',
      '-t',
      'app:3',
      context,
      '-o',
      at('files'),
      '-o',
      `type=tar,dest=${at('files.tar')}`,
      '-o',
      `type=oci,dest=${at('oci.tar')}`,
      '-o',
      `type=docker,dest=${at('docker.tar')}`,
      '-o',
      `type=oci-layout,dest=${at('layout')}`,
    );
    assert.equal(await readFile(at('files/file'), 'utf8'), 'text a\n');
    for (const image of [
      `oci-archive:${at('oci.tar')}`,
      `docker-archive:${at('docker.tar')}`,
      `oci:${at('layout')}`,
    ])
      assert.equal(await oci('cat', image, '/file'), 'text a\n', image);
    assert.ok((await stat(at('files.tar'))).size > 0);
  });

  test('questions instead of a build', async () => {
    const check = await home.oci('build', '--check', context);
    assert.deepEqual([check.status, check.stdout], [0, 'nothing found\n']);
    assert.match(await oci('build', '--call', 'targets', context), /^one\n1 \(default\)\n$/);
    const outline = JSON.parse(await oci('build', '--call', 'outline', '--json', context));
    assert.deepEqual(outline.arguments, [{ name: 'NAME', value: 'a' }, { name: 'TARGETOS' }]);
  });

  test('mistakes are told with their place, and what to do', async () => {
    await writeFile(join(context, 'bad'), 'FROM scratch\nCPOY a /\n');
    const bad = await home.oci('build', '-f', join(context, 'bad'), context);
    assert.equal(bad.status, 1);
    assert.match(
      bad.stderr,
      /line 2, column 1: unknown instruction CPOY[\s\S]*2 \| CPOY a \/[\s\S]*did you mean COPY/,
    );
    for (const [args, message] of [
      [['--push', context], /needs a name/],
      [['-o', 'type=zip,dest=x', context], /no known type/],
      [['--secret', 'x', context], /not id=NAME,src=FILE/],
      [['--build-arg', '=x', context], /NAME=VALUE/],
      [[join(home.directory, 'nothing')], /Dockerfile/],
    ] as const) {
      const { status, stderr } = await home.oci('build', ...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
  });
});

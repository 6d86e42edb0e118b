import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRegistry } from '@ocijs/registry/server';
import { ociProgram, type TestHome, testHome } from '../testing/oci.testkit.ts';

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
    const written = JSON.parse(await readFile(metadata, 'utf8'));
    assert.deepEqual(
      [written['containerimage.digest'], written['containerimage.descriptor'].digest, written['image.name']],
      [document.digest, document.digest, document.names.join(',')],
    );
    assert.match(written['containerimage.config.digest'], /^sha256:/);
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

  test('outputs: files of several platforms, into a directory that has files, archives without a name', async () => {
    const at = (path: string): string => join(home.directory, path);
    const platforms = ['--platform', 'linux/amd64,linux/arm64'];
    await mkdir(at('bin'));
    await writeFile(at('bin/mine'), '');
    await oci('build', context, '-o', at('bin'), '-o', `type=oci,dest=${at('unnamed.tar')}`);
    assert.deepEqual(await readdir(at('bin')), ['file', 'mine']);
    await oci('build', context, '-o', `type=local,dest=${at('bin')},mode=delete`, ...platforms);
    assert.deepEqual(await readdir(at('bin')), ['linux_amd64', 'linux_arm64']);
    assert.equal(await readFile(at('bin/linux_arm64/file'), 'utf8'), 'text a\n');
    await oci('build', context, '-o', `type=tar,dest=${at('both.tar')}`, ...platforms);
    const names = execFileSync('tar', ['-tf', at('both.tar')], { encoding: 'utf8' });
    assert.match(names, /^linux_amd64\/file$[\s\S]*^linux_arm64\/file$/m);
    await oci('build', context, '-o', `type=oci,dest=${at('plain')},tar=false,compression=zstd`);
    for (const image of [`oci-archive:${at('unnamed.tar')}`, `oci:${at('plain')}`])
      assert.equal(await oci('cat', image, '/file'), 'text a\n', image);
    const stored = JSON.parse(await oci('images', '--json'));
    assert.ok(!JSON.stringify(stored).includes('build-'), 'no name is left');
  });

  test('annotations of manifests, entries and indexes', async () => {
    const build = ['build', '-t', 'annotated', '--platform', 'linux/amd64,linux/arm64', context];
    const flags = ['a=1', 'index:b=2', 'manifest,manifest-descriptor[linux/arm64]:c=3'];
    await oci(...build, ...flags.flatMap((flag) => ['--annotation', flag]));
    const layout = join(home.directory, 'store');
    const raw = async (digest: string) =>
      JSON.parse(await readFile(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'));
    const { manifests } = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
    const entry = manifests.find((one: { annotations?: object }) =>
      JSON.stringify(one.annotations ?? {}).includes('annotated'),
    );
    const index = await raw(entry.digest);
    assert.deepEqual(index.annotations, { b: '2' });
    assert.deepEqual(
      index.manifests.map((one: { annotations?: object }) => one.annotations),
      [undefined, { c: '3' }],
    );
    assert.deepEqual((await raw(index.manifests[0].digest)).annotations, { a: '1', c: '3' });
    const single = await home.oci('build', '--annotation', 'index:b=2', context);
    assert.deepEqual([single.status, /there is none/.test(single.stderr)], [2, true], single.stderr);
  });

  test('statements refer to the image in the store, in layouts and in registries', async () => {
    await using registry = await startRegistry({ directory: join(home.directory, 'attested') });
    const name = `${registry.host}/app:1`;
    const layout = join(home.directory, 'attested-layout');
    const metadata = join(home.directory, 'attested.json');
    const plain = (await oci('build', '-q', context)).trim();
    const { digest, platforms } = JSON.parse(
      await oci(
        'build',
        ...['--attest', 'type=provenance,mode=max,builder-id=https://ci.example', '--sbom', 'true'],
        ...['-t', name, '--push', '--json', '-o', `type=oci-layout,dest=${layout}`],
        ...['--metadata-file', metadata, context],
      ),
    );
    assert.equal(digest, plain, 'the image is the same');
    const digests = platforms[0].attestations.map((one: { digest: string }) => one.digest).sort();
    const { referrers } = JSON.parse(await oci('referrers', '--json', name));
    assert.deepEqual(referrers.map((one: { digest: string }) => one.digest).sort(), digests);
    for (const one of digests) await readFile(join(layout, 'blobs', one.replace(':', '/')));
    const written = JSON.parse(await readFile(metadata, 'utf8'));
    assert.equal(written['buildx.build.provenance'].runDetails.builder.id, 'https://ci.example');
  });

  test('contexts from standard input, and by name from layouts and images', async () => {
    const layout = join(home.directory, 'named-layout');
    await oci('build', '-t', 'inner', '-o', `type=oci-layout,dest=${layout}`, context);
    const withInput = (input: string | Buffer, ...args: readonly string[]): string =>
      execFileSync(process.execPath, [ociProgram, 'build', ...args], {
        env: home.env,
        input,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
    const dockerfile = 'FROM layout AS l\nFROM scratch\nCOPY --from=l /file /1\nCOPY --from=image /file /2\n';
    const named = [
      ...['--build-context', `layout=oci-layout://${layout}`],
      ...['--build-context', 'image=docker-image://inner'],
    ];
    const digest = withInput(dockerfile, '-q', ...named, '-').trim();
    assert.equal(withInput(dockerfile, '-q', ...named, '-f', '-', context).trim(), digest);
    const archive = execFileSync('tar', ['-cz', '-C', context, '.']);
    withInput(archive, '-t', 'from-tar', '-');
    assert.equal(await oci('cat', 'from-tar', '/file'), 'text a\n');
  });

  test('a lock file: written, kept to, and refused when something else is met', async () => {
    const directory = join(home.directory, 'locking');
    await mkdir(directory);
    await writeFile(join(directory, 'Dockerfile'), 'FROM locked-base\nLABEL a=b\n');
    await oci('build', '-t', 'locked-base', context);
    await oci('build', '--lock', directory);
    const text = await readFile(join(directory, 'oci.lock'), 'utf8');
    assert.match(text, /"name":"locked-base","platform":"linux\/[a-z0-9]+","digest":"sha256:/);
    await oci('build', '--locked', directory);
    await oci('build', '-t', 'locked-base', '--label', 'other=1', context);
    const { status, stderr } = await home.oci('build', '--locked', directory);
    assert.deepEqual([status, /locked-base is not what the lock file says/.test(stderr)], [1, true], stderr);
    await oci('build', '--lock', directory);
    assert.notEqual(await readFile(join(directory, 'oci.lock'), 'utf8'), text);
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
      [['-o', 'type=oci', context], /has no dest/],
      [['-o', 'type=tar,dest=x,compression=gzip', context], /compression is unknown/],
      [['-o', 'type=image,oci-mediatypes=false', context], /OCI's media types/],
      [['--provenance', 'mode=most', context], /min or max/],
      [['--attest', 'type=other', context], /provenance or sbom/],
      [['--annotation', 'other:a=b', context], /unknown/],
      [['--locked', '--lock-file', join(home.directory, 'none'), context], /there is no/],
      [['--build-context', 'a=ftp://x/y', context], /cannot be a context/],
      [['--file', '-', '-'], /cannot both be standard input/],
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

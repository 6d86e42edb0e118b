import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildLayer, createLayout, writeImage } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from '@ocijs/registry/server';
import { type Outcome, type TestHome, testHome } from '../testing/oci.testkit.ts';

const isLinux = process.platform === 'linux';
const skip = isLinux ? false : 'unpacking needs Linux';

describe('oci commands', () => {
  let home: TestHome;
  let registry: RunningRegistry;
  let image: string;
  let digest: string;

  before(async () => {
    home = await testHome();
    const layout = join(home.directory, 'layout');
    await using store = await createLayout(layout);
    const layer = await buildLayer([
      { header: { name: 'etc/motd', type: 'file', mode: 0o644 }, body: Buffer.from('hello\n') },
    ]);
    const config = { Cmd: ['/bin/sh'], Env: ['GREETING=hello'] };
    ({ digest } = await writeImage(store, { layers: [layer], config, name: 'v1' }));
    registry = await startRegistry({ directory: layout });
    image = `${registry.host}/layout:v1`;
  });
  after(async () => {
    await registry.close();
    await home[Symbol.asyncDispose]();
  });

  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
    const { status, stdout, stderr } = await home.oci(...args, '--json');
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Record<string, unknown>;
  };

  test('--version and --help', async () => {
    assert.match((await home.oci('--version')).stdout, /^oci \d+\.\d+\.\d+\n$/);
    const { status, stdout } = await home.oci('--help');
    assert.equal(status, 0);
    assert.doesNotMatch(stdout, /supervise/);
    assert.deepEqual(await home.oci('help', 'pull'), await home.oci('pull', '-h'));
  });

  test('pull reports what it did, and a second one fetches nothing', async () => {
    const first = await json('pull', image);
    assert.equal(first['digest'], digest);
    assert.equal(first['reference'], image);
    assert.equal(typeof first['platform'], 'string');
    const statuses = (report: Record<string, unknown>): string[] =>
      (report['blobs'] as { status: string }[]).map(({ status }) => status);
    assert.deepEqual(statuses(first), ['fetched', 'fetched']);
    const second = await json('pull', image);
    assert.deepEqual(statuses(second), ['reused', 'reused']);
    assert.equal(second['bytesFetched'], 0);
    assert.equal((await home.oci('pull', '-q', image)).stdout, `${digest}\n`);
  });

  test('pull holds an expected digest against what comes', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    const { status, stdout } = await home.oci('pull', '--json', '--expect-digest', wrong, image);
    assert.equal(status, 1);
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'ERR_OCI_DIGEST_MISMATCH');
  });

  test('images, inspect and tags', async () => {
    await home.oci('pull', image);
    const listed = (await json('images')) as unknown as { name: string; digest: string; size: number }[];
    assert.deepEqual(
      listed.map((entry) => [entry.name, entry.digest]),
      [[image, digest]],
    );
    assert.match((await home.oci('images')).stdout, /^NAME +DIGEST +PLATFORM +CREATED +SIZE\n/);
    const inspected = await json('inspect', image);
    assert.equal(inspected['digest'], digest);
    const raw = await home.oci('inspect', '--raw', image);
    assert.equal(`sha256:${createHash('sha256').update(raw.stdout).digest('hex')}`, digest);
    const config = JSON.parse((await home.oci('inspect', '--config', image)).stdout) as { config: object };
    assert.deepEqual((inspected['config'] as { config: object }).config, config.config);
    assert.deepEqual((await json('tags', `${registry.host}/layout`))['tags'], ['v1']);
    assert.match((await home.oci('inspect', `docker://${image}`)).stdout, /GREETING=hello/);
    assert.match(
      (await home.oci('inspect', `oci:${join(home.directory, 'layout')}:v1`)).stdout,
      new RegExp(digest),
    );
  });

  test('push, and its digest file', async () => {
    await home.oci('pull', image);
    const file = join(home.directory, 'digest');
    const report = await json('push', image, `${registry.host}/copy:v2`, '--digestfile', file);
    assert.equal(report['digest'], digest);
    assert.equal(await readFile(file, 'utf8'), digest);
    assert.deepEqual((await json('tags', `${registry.host}/copy`))['tags'], ['v2']);
    const absent = await home.oci('push', 'example.test/absent', `${registry.host}/x`);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /^error: image example\.test\/absent is not in the store\nhint: /);
  });

  test('unpack makes a bundle that validate accepts, and refuses a full directory', { skip }, async () => {
    const bundle = join(home.directory, 'bundle');
    const result = await json('unpack', image, bundle);
    assert.equal(result['digest'], digest);
    assert.equal(await readFile(join(bundle, 'rootfs/etc/motd'), 'utf8'), 'hello\n');
    assert.deepEqual(await json('validate', bundle), { valid: true, violations: [] });
    const again = await home.oci('unpack', image, bundle);
    assert.equal(again.status, 1);
    const config = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')) as Record<string, unknown>;
    await writeFile(
      join(bundle, 'config.json'),
      JSON.stringify({ ...config, process: { cwd: 5 }, hostname: 7 }),
    );
    const { status, stdout } = await home.oci('validate', '--json', bundle);
    assert.equal(status, 1);
    const failure = JSON.parse(stdout) as {
      valid: boolean;
      violations: { jsonPath: string }[];
      error: { code: string };
    };
    assert.equal(failure.error.code, 'ERR_OCI_VALIDATION_FAILED');
    assert.ok(failure.violations.some(({ jsonPath }) => jsonPath === '$.process.cwd'));
    assert.ok(failure.violations.some(({ jsonPath }) => jsonPath === '$.hostname'));
  });

  test('validate finds a damaged blob in a layout', async () => {
    const layout = join(home.directory, 'damaged');
    await using store = await createLayout(layout);
    const layer = await buildLayer([
      { header: { name: 'file', type: 'file', mode: 0o644 }, body: Buffer.from('x') },
    ]);
    await writeImage(store, { layers: [layer], name: 'v1' });
    assert.equal((await home.oci('validate', layout)).status, 0);
    const blob = join(layout, 'blobs', layer.descriptor.digest.replace(':', '/'));
    const bytes = await readFile(blob);
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1;
    await chmod(blob, 0o644);
    await writeFile(blob, bytes);
    const { status, stdout } = await home.oci('validate', layout);
    assert.equal(status, 1);
    assert.match(stdout, /v1: /);
  });

  test('spec prints a configuration', async () => {
    const { stdout } = await home.oci('spec');
    assert.deepEqual((JSON.parse(stdout) as { process: { args: string[] } }).process.args, ['sh']);
    const own = JSON.parse((await home.oci('spec', image, '--rootless')).stdout) as {
      process: { env: string[] };
      linux: { uidMappings: object[] };
    };
    assert.ok(own.process.env.includes('GREETING=hello'));
    assert.equal(own.linux.uidMappings.length, 1);
  });

  test('doctor has a verdict on everything', async () => {
    const { findings } = (await json('doctor')) as {
      findings: { name: string; verdict: string; remedy?: string }[];
    };
    assert.ok(findings.some(({ name }) => name === 'inflate engine'));
    for (const { verdict, remedy } of findings) {
      assert.match(verdict, /^(ok|limited|missing)$/);
      assert.equal(remedy === undefined, verdict === 'ok');
    }
  });

  test('serve prints its address, serves, and ends with success on SIGTERM', async () => {
    const child = home.start('serve', join(home.directory, 'layout'), '--quiet');
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const answer = await fetch(`${line.toString().trim()}/v2/layout/tags/list`);
    assert.deepEqual(((await answer.json()) as { tags: string[] }).tags, ['v1']);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    const taken = await home.oci('serve', '--listen', registry.host);
    assert.equal(taken.status, 1);
    assert.match(taken.stderr, /the port is in use\n.*hint: /s);
  });

  test('SIGINT ends a command with 130', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const child = home.start('pull', '--plain-http', `127.0.0.1:${port}/never/answers`);
    const exit = once(child, 'exit');
    const [socket] = (await once(silent, 'connection')) as [Socket];
    child.kill('SIGINT');
    assert.deepEqual(await exit, [130, null]);
    socket.destroy();
    silent.close();
  });

  const failures: [string, string[], number, RegExp][] = [
    ['an unknown command', ['pul', 'x'], 2, /did you mean `oci pull`/],
    ['an unknown flag', ['pull', '--plattform=x', 'x'], 2, /did you mean `--platform`/],
    ['a missing argument', ['unpack', 'x'], 2, /^error: missing DIRECTORY\nhint: see `oci unpack --help`$/m],
    ['an argument too many', ['inspect', 'a', 'b'], 2, /unexpected argument: b/],
    ['a bad option', ['pull', '--progress=loud', 'x'], 2, /auto, tty, plain, json, none/],
    ['a bad name', ['pull', 'UPPER CASE'], 2, /UPPER CASE/],
    ['an archive that is not there', ['inspect', 'docker-archive:x.tar'], 1, /x\.tar/],
    ['bad credentials', ['tags', '--creds', 'x', 'y'], 2, /USER:PASS/],
    ['a bad id map', ['unpack', '--uid-map', 'x', 'a', 'b'], 2, /CONTAINER:HOST:SIZE/],
    ['nothing to run', ['run', '--rm'], 2, /either an image or --bundle/],
    ['a flag of run', ['run', '--hostnam', 'x', 'y'], 2, /did you mean `--hostname`/],
    ['a value of run', ['run', '-v', 'x', 'y'], 2, /--volume "x"/],
    [
      'an image that is not there',
      ['run', '--pull', 'never', 'example.test/absent'],
      125,
      /not in the store/,
    ],
    ['a container that is not there', ['rm', 'absent'], 1, /no container absent/],
  ];
  for (const [what, args, status, stderr] of failures) {
    test(`says what is wrong with ${what}`, async () => {
      const outcome: Outcome = await home.oci(...args);
      assert.equal(outcome.status, status, outcome.stderr);
      assert.match(outcome.stderr, stderr);
      assert.match(outcome.stderr, /^error: /);
      assert.doesNotMatch(outcome.stderr, /\n\s+at /);
      assert.equal(outcome.stdout, '');
      const [first = '', ...rest] = args;
      const document = await home.oci(first, '--json', ...rest);
      assert.equal(document.status, status);
      assert.match((JSON.parse(document.stdout) as { error: { code: string } }).error.code, /^ERR_OCI_/);
    });
  }

  test('ps and rm of containers that never ran', async () => {
    assert.deepEqual(await json('ps', '-a'), []);
    const id = 'ab'.repeat(32);
    const directory = join(home.directory, 'store/containers', id);
    await mkdir(directory, { recursive: true });
    const record = {
      id,
      name: 'old',
      image: { name: 'i', digest },
      command: ['x'],
      created: new Date(0).toISOString(),
      root: join(home.directory, 'state'),
      remove: false,
      bundle: directory,
    };
    await writeFile(join(directory, 'container.json'), JSON.stringify(record));
    assert.deepEqual(await json('ps'), []);
    const [known] = (await json('ps', '-a')) as unknown as { state: string }[];
    assert.equal(known?.state, isLinux ? 'dead' : known?.state);
    assert.equal((await home.oci('rm', 'abab')).stdout, `${id}\n`);
    assert.deepEqual(await readdir(directory).catch(() => []), []);
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildLayer, createLayout, writeImage } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from '@ocijs/registry/server';
import { type Outcome, type TestHome, testHome } from '../testing/oci.testkit.ts';

const password = 's3cret-passw0rd';

describe('oci and what else registries hold', () => {
  let home: TestHome;
  let registry: RunningRegistry;
  let image: string;
  let authFile: string;

  before(async () => {
    home = await testHome();
    const layout = join(home.directory, 'layout');
    await using store = await createLayout(layout);
    const layer = await buildLayer([
      { header: { name: 'file', type: 'file', mode: 0o644 }, body: Buffer.from('x') },
    ]);
    for (const name of ['v1.10', 'v1.9', 'edge']) await writeImage(store, { layers: [layer], name });
    registry = await startRegistry({ directory: layout, auth: { type: 'basic', username: 'ann', password } });
    image = `${registry.host}/layout:v1.9`;
    authFile = join(home.directory, 'auth.json');
  });
  after(async () => {
    await registry.close();
    await home[Symbol.asyncDispose]();
  });

  /** `oci` with a text on its standard input; the child's arguments are what a process list would show. */
  async function ociWith(input: string, ...args: readonly string[]): Promise<Outcome> {
    const program = fileURLToPath(new URL('../../bin/oci.js', import.meta.url));
    const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: '1' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.end(input);
    const [status] = (await once(child, 'close')) as [number];
    return { status, stdout, stderr };
  }

  async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await home.oci(...args, '--authfile', authFile, '--json');
    assert.equal(status, 0, stderr + stdout);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  test('login refuses a wrong password without showing it, and keeps a right one', async () => {
    const args = ['login', '-u', 'ann', '--password-stdin', '--authfile', authFile, registry.host];
    const refused = await ociWith('wr0ng-passw0rd\n', ...args);
    assert.equal(refused.status, 1);
    assert.doesNotMatch(refused.stderr, /wr0ng/);
    const { status, stdout, stderr } = await ociWith(`${password}\r\n`, ...args);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^logged in to 127\.0\.0\.1:\d+ as ann, kept in /);
    assert.doesNotMatch(stdout + stderr, /s3cret/);
    const { auths } = JSON.parse(await readFile(authFile, 'utf8')) as {
      auths: Record<string, { auth: string }>;
    };
    assert.equal(auths[registry.host]?.auth, Buffer.from(`ann:${password}`).toString('base64'));
  });

  test('login says what is missing, and warns of a password in the arguments', async () => {
    assert.equal((await home.oci('login', registry.host)).status, 2);
    assert.equal((await home.oci('login', '--password-stdin', registry.host)).status, 2);
    const open = await home.oci('login', '-u', 'ann', '-p', password, '--authfile', authFile, registry.host);
    assert.equal(open.status, 0);
    assert.match(open.stderr, /^warning: --password can be seen/);
    assert.doesNotMatch(open.stdout + open.stderr, /s3cret/);
  });

  test('catalog and tags', async () => {
    assert.deepEqual((await json('catalog', registry.host))['repositories'], ['layout']);
    const repository = `${registry.host}/layout`;
    assert.deepEqual((await json('tags', repository, '--sort', 'version'))['tags'], [
      'edge',
      'v1.9',
      'v1.10',
    ]);
    assert.deepEqual((await json('tags', repository, '--filter', '^v'))['tags'], ['v1.10', 'v1.9']);
    assert.equal((await home.oci('tags', repository, '--filter', '(')).status, 2);
  });

  test('attach, referrers, artifact pull and delete', async () => {
    const file = join(home.directory, 'report.json');
    await writeFile(file, '{"ok":true}');
    const attached = await json(
      'attach',
      '--artifact-type',
      'application/vnd.example.report',
      '--annotation',
      'org.example.by=ann',
      image,
      `${file}:application/json`,
    );
    const { digest } = attached['descriptor'] as { digest: string };
    const tree = await json('referrers', image);
    assert.deepEqual(
      (tree['referrers'] as { digest: string }[]).map((node) => node.digest),
      [digest],
    );
    const shown = await home.oci('referrers', image, '--authfile', authFile);
    assert.match(
      shown.stdout,
      new RegExp(`\n└─ application/vnd\\.example\\.report ${digest}\n +org\\.example\\.by: ann\n$`),
    );

    const directory = join(home.directory, 'out');
    const artifact = `${registry.host}/layout@${digest}`;
    await json('artifact', 'pull', artifact, '-o', directory);
    assert.equal(await readFile(join(directory, 'report.json'), 'utf8'), '{"ok":true}');
    const again = await home.oci('artifact', 'pull', artifact, '-o', directory, '--authfile', authFile);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /exists already/);

    assert.equal((await json('delete', image))['tag'], 'v1.9');
    assert.deepEqual((await json('tags', `${registry.host}/layout`, '--sort', 'name'))['tags'], [
      'edge',
      'v1.10',
    ]);
  });

  test('copy takes referrers along, and says how many', async () => {
    const target = `oci:${join(home.directory, 'with-referrers')}:1`;
    const source = `docker://${registry.host}/layout:v1.10`;
    const file = join(home.directory, 'note.txt');
    await writeFile(file, 'noted');
    await json('attach', `${registry.host}/layout:v1.10`, file, '--artifact-type', 'application/x-note');
    const report = await json('copy', '--referrers', source, target);
    const copied = report['referrers'] as readonly { readonly artifactType: string }[];
    assert.ok(copied.some(({ artifactType }) => artifactType === 'application/x-note'));
    const { stderr } = await home.oci(
      'copy',
      source,
      target,
      '--platform',
      'linux/amd64,linux/arm64',
      '--authfile',
      authFile,
    );
    assert.match(stderr, /image of one platform/);
  });

  test('validate reads an image where it is, and stores nothing', async () => {
    for (const name of [`docker://${registry.host}/layout:v1.10`, `${registry.host}/layout:v1.10`]) {
      const report = await json('validate', '--all-platforms', name);
      assert.deepEqual(report, { valid: true, violations: [] });
    }
    const { stdout } = await home.oci('images', '--json');
    assert.doesNotMatch(stdout, /v1\.10/);
  });

  test('doctor tells how a registry would be used', async () => {
    const { findings } = (await json('doctor', `${registry.host}/layout:v1.10`)) as {
      findings: readonly { readonly name: string }[];
    };
    const names = findings.map(({ name }) => name);
    for (const name of ['order', 'certificate', 'credentials', 'ranges', 'clock'])
      assert.ok(names.includes(name));
    const { stdout } = await home.oci('doctor', `docker://${image}`, '--authfile', authFile);
    assert.match(stdout, new RegExp(`\n${registry.host}:\n`));
    assert.doesNotMatch(stdout, /s3cret/);
  });

  test('logout forgets, and says when there is nothing to forget', async () => {
    assert.equal(((await json('logout', registry.host))['removed'] as object[]).length, 1);
    const { status, stdout, stderr } = await home.oci('logout', registry.host, '--authfile', authFile);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^there were no credentials/);
    assert.equal((await home.oci('catalog', registry.host, '--authfile', authFile)).status, 1);
  });
});

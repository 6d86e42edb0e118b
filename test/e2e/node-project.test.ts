import assert from 'node:assert/strict';
import { chmod, chown, cp, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { command } from '../kit/command.ts';
import { nodeImage } from '../kit/node-rootfs.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';

const skip = missing({ root: true, commands: ['busybox', 'ldd'] });
const user = 65_534;

const program = `const { writeFileSync } = require('node:fs');
let mayWrite = true;
try { writeFileSync(__dirname + '/new', ''); } catch { mayWrite = false; }
console.log(require('greet')('world'), process.getuid(), process.cwd(), process.env.NODE_ENV, mayWrite, process.argv.slice(2).join());
`;

const greet = {
  'package.json': '{"name":"greet","version":"1.0.0","dependencies":{"word":"1"}}',
  'index.js': `module.exports = (name) => require('word') + ' ' + name;\n`,
};
const word = {
  'package.json': '{"name":"word","version":"1.1.0"}',
  'index.js': `module.exports = 'hello';\n`,
};

function below(directory: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${directory}/${name}`, text]));
}

const project = {
  'package.json':
    '{"name":"web","version":"1.0.0","scripts":{"start":"node server.js --port 80"},"dependencies":{"greet":"^1.0.0"}}',
  'server.js': program,
  '.npmrc': '//registry.example.com/:_authToken=hunter2\n',
};

/** As npm installs it. */
const flat = {
  ...project,
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { greet: '^1.0.0' } },
      'node_modules/greet': { version: '1.0.0', dependencies: { word: '1' } },
      'node_modules/word': { version: '1.1.0' },
    },
  }),
  ...below('node_modules/greet', greet),
  ...below('node_modules/word', word),
};

/** As pnpm installs it. */
const linked = {
  ...project,
  'pnpm-lock.yaml': `lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      greet: {specifier: ^1.0.0, version: 1.0.0}
packages:
  greet@1.0.0: {resolution: {integrity: sha512-x}}
  word@1.1.0: {resolution: {integrity: sha512-x}}
snapshots:
  greet@1.0.0: {dependencies: {word: 1.1.0}}
  word@1.1.0: {}
`,
  ...below('node_modules/.pnpm/greet@1.0.0/node_modules/greet', greet),
  ...below('node_modules/.pnpm/word@1.1.0/node_modules/word', word),
  'node_modules/greet': '-> .pnpm/greet@1.0.0/node_modules/greet',
  'node_modules/.pnpm/greet@1.0.0/node_modules/word': '-> ../../word@1.1.0/node_modules/word',
};

async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), path);
    else await writeFile(path, text);
  }
}

describe('oci build --node', { skip, timeout: 200_000 }, () => {
  let temporary: TemporaryDirectory;
  let directory: string;

  before(async () => {
    temporary = await temporaryDirectory();
    directory = temporary.path;
    await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
    await writeFiles(join(directory, 'small'), { 'etc/hostname': '' });
    await run('build', '-q', '-f', 'Dockerfile', '-t', 'small', 'small');
    await writeFiles(join(directory, 'flat'), flat);
    await writeFiles(join(directory, 'linked'), linked);
  });
  after(() => temporary?.[Symbol.asyncDispose]());

  async function run(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await oci(ociHome(directory), args, { cwd: directory });
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  const build = (name: string, base = 'small'): readonly string[] => [
    ...['build', '-q', '--node', '--base', base],
    ...['-t', name, name],
  ];

  test('the image runs, whoever installed the packages', async () => {
    await nodeImage('local-node', ociHome(directory));
    for (const name of ['flat', 'linked']) {
      await run(...build(name, 'local-node'));
      assert.equal(await run('run', '--rm', name), 'hello world 1000 /app production false --port,80');
      assert.ok(!(await run('ls', '--recursive', name)).includes('.npmrc'));
    }
  });

  test('an ordinary user gets the same image, with other times, modes and directories', async (context) => {
    const own = join(directory, 'own');
    await mkdir(own);
    for (const name of ['flat', 'linked'])
      await cp(join(directory, name), join(own, name), { recursive: true, verbatimSymlinks: true });
    const archive = join(directory, 'base.tar');
    await run('copy', 'small', `oci-archive:${archive}:small`);
    for (const path of [own, ...(await readdir(own, { recursive: true })).map((name) => join(own, name))]) {
      await utimes(path, 1, 1);
      await chmod(path, path.endsWith('.js') || path.endsWith('.json') ? 0o600 : 0o700);
      await chown(path, user, user);
    }
    await chmod(directory, 0o755);
    await chmod(archive, 0o644);
    const env = { PATH: process.env['PATH'], HOME: own, OCI_STORE: join(own, 'store') };
    const ids = { uid: user, gid: user };
    const asUser = (...args: readonly string[]) =>
      command(process.execPath, [ociProgram, ...args], { env, cwd: own, ...ids });
    if ((await asUser('--version')).status !== 0)
      return context.skip('the program lies where other users cannot read it');
    assert.equal((await asUser('load', '-q', '--name', 'small', '-i', archive)).status, 0);
    for (const name of ['flat', 'linked']) {
      const { status, stdout, stderr } = await asUser(...build(name));
      assert.equal(status, 0, stderr);
      assert.equal(stdout.trim(), await run(...build(name)));
    }
  });

  test('the base is written down, and another one is refused', async () => {
    await run(...build('flat'), '--lock');
    const lock = join(directory, 'flat/oci.lock');
    const { digest } = JSON.parse(await run('inspect', '--json', 'small')) as { digest: string };
    assert.ok((await readFile(lock, 'utf8')).includes(digest));
    const first = await run(...build('flat'), '--locked');
    assert.equal(await run(...build('flat')), first, 'the lock itself is not in the image');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(digest, `sha256:${'0'.repeat(64)}`));
    const refused = await oci(ociHome(directory), [...build('flat'), '--locked'], { cwd: directory });
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /small is not what the lock file says/);
  });

  test('statements tell of the packages, and flags of Dockerfiles are refused', async () => {
    const text = await run(
      ...build('linked'),
      '--sbom',
      'true',
      '--provenance',
      'mode=max',
      '-o',
      'type=oci-layout,dest=layout',
      '--json',
    );
    const { platforms } = JSON.parse(text) as {
      platforms: { attestations: { predicateType: string; digest: string }[] }[];
    };
    const blobs = platforms[0]?.attestations ?? [];
    assert.deepEqual(
      blobs.map(({ predicateType }) => predicateType),
      ['https://slsa.dev/provenance/v1', 'https://spdx.dev/Document'],
    );
    const statements = await Promise.all(
      (await readdir(join(directory, 'layout/blobs/sha256'))).map((name) =>
        readFile(join(directory, 'layout/blobs/sha256', name), 'latin1'),
      ),
    );
    const sbom = statements.find((one) => one.includes('SPDX-2.3'));
    assert.match(sbom ?? '', /pkg:npm\/greet@1\.0\.0/);
    assert.match(sbom ?? '', /pkg:npm\/word@1\.1\.0/);
    const provenance = statements.find((one) => one.includes('"buildDefinition"'));
    assert.match(provenance ?? '', /"frontend":"node\.v0"/);
    assert.match(provenance ?? '', /pkg:docker\/small/);
    const refused = async (flags: readonly string[], message: RegExp): Promise<void> => {
      const { status, stderr } = await oci(ociHome(directory), ['build', ...flags], { cwd: directory });
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    };
    await refused(['--node', '--target', 'x', 'flat'], /--target/);
    await refused(['--base', 'x', 'flat'], /--base is for --node/);
    await refused(['--cmd', '[]', 'flat'], /--cmd is for --node/);
    await refused([], /the build context is missing/);
  });
});

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { openStore } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { command, output } from '../kit/command.ts';
import { busyboxImage } from '../kit/images.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { install, manifestOf, packAll, published, root, type Tarball } from './packed.ts';

describe('packages as npm packs them', { timeout: 300_000 }, () => {
  let temporary: TemporaryDirectory;
  let project: string;
  let tarballs: readonly Tarball[];

  before(async () => {
    temporary = await temporaryDirectory();
    project = `${temporary.path}/project`;
    await mkdir(project);
    await writeFile(`${project}/package.json`, '{"type":"module"}');
    tarballs = await packAll(temporary.path);
    await install(tarballs, project);
  });
  after(() => temporary?.[Symbol.asyncDispose]());

  const node = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    command(process.execPath, args, {
      cwd: project,
      env: {
        PATH: process.env['PATH'],
        HOME: temporary.path,
        OCI_STORE: `${temporary.path}/store`,
        OCI_ROOT: `${temporary.path}/state`,
        ...env,
      },
    });

  for (const name of published) {
    test(`${name} has the files that its package.json names, and no tests`, async () => {
      const files = tarballs.find((tarball) => tarball.name === name)?.files ?? [];
      const { bin = {}, exports } = await manifestOf(name);
      const named = [
        ...Object.values(bin),
        ...Object.values(exports).flatMap((forms) => Object.values(forms)),
      ];
      for (const path of named) assert.ok(files.includes(path.replace('./', '')), `${path} is not packed`);
      assert.ok(files.includes('README.md'), 'README.md is not packed');
      const stray = files.filter((path) =>
        /\.test\.|testkit|\/testing\/(?!index|seeded)|testdata|tsbuildinfo/.test(path),
      );
      assert.deepEqual(name === 'registry' ? [] : stray, [], 'what only tests need');
    });

    test(`${name} passes publint`, async () => {
      const { messages } = await publint({
        pkgDir: `${project}/node_modules/@ocijs/${name}`,
        pack: false,
        strict: true,
      });
      const pkg = JSON.parse(await readFile(`${root}packages/${name}/package.json`, 'utf8')) as Record<
        string,
        unknown
      >;
      assert.deepEqual(
        messages.filter(({ type }) => type !== 'suggestion').map((message) => formatMessage(message, pkg)),
        [],
      );
    });

    test(`the types of ${name} are what its code is (arethetypeswrong)`, async () => {
      const tarball = tarballs.find((each) => each.name === name)?.path ?? '';
      const attw = `${root}node_modules/@arethetypeswrong/cli/dist/index.js`;
      const { status, stdout } = await node([
        attw,
        tarball,
        '--profile',
        'esm-only',
        '--format',
        'ascii',
        '--no-color',
      ]);
      assert.equal(status, 0, stdout);
    });
  }

  test('every entry can be imported', async () => {
    for (const name of published) {
      const { exports } = await manifestOf(name);
      const entries = Object.keys(exports).map((path) => `@ocijs/${name}${path.slice(1)}`);
      const program = entries.map((entry) => `await import('${entry}');`).join('\n');
      const { status, stdout, stderr } = await node(['--input-type=module', '--eval', program]);
      assert.equal(status, 0, `${name}: ${stderr}`);
      assert.equal(stdout + stderr, '', `${name} says something when it is imported`);
    }
  });

  test('oci and oci-runtime start, and find what they need of the packages', async () => {
    const oci = `${project}/node_modules/@ocijs/cli/bin/oci.js`;
    assert.match((await node([oci, '--version'])).stdout, /^oci \d+\.\d+\.\d+\n$/);
    const runtime = `${project}/node_modules/@ocijs/runtime/bin/oci-runtime.js`;
    assert.match((await node([runtime, '--version'])).stdout, /^oci-runtime version/);
    const doctor = JSON.parse((await node([oci, 'doctor', '--json'])).stdout) as {
      findings: { name: string; verdict: string; found: string }[];
    };
    const found = (check: string): string => doctor.findings.find(({ name }) => name === check)?.found ?? '';
    assert.match(found('native init'), /project\/node_modules\/@ocijs\/runtime\//);
    assert.doesNotMatch(found('inflate engine'), /Cannot find module/);
  });

  test('the bundled oci pulls, unpacks with its threads, and runs', {
    skip: missing({ root: true, commands: ['busybox'] }),
  }, async () => {
    await using registry = await startRegistry({ directory: `${temporary.path}/registry` });
    await using store = await openStore(`${temporary.path}/author`);
    const name = `${registry.host}/app:1`;
    await busyboxImage(store, name);
    await push(name, name, { store });
    const oci = `${project}/node_modules/@ocijs/cli/bin/oci.js`;
    const run = async (...args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await node([oci, ...args]);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    assert.match(await run('pull', '-q', name), /^sha256:/);
    await run('unpack', name, `${temporary.path}/bundle`);
    assert.equal(await readFile(`${temporary.path}/bundle/rootfs/etc/motd`, 'utf8'), 'hello\n');
    assert.equal(await run('run', '--rm', name, 'cat', '/etc/motd'), 'hello\n');
    assert.match(await run('pull', '--help'), /USAGE/);
  });

  test('oci and oci-runtime are one file or few: nothing is read from the modules beside the bundle', async () => {
    const files = tarballs.find(({ name }) => name === 'cli')?.files ?? [];
    assert.ok(files.includes('dist/bundle/main.js'), 'build the packages first: npm run build');
    assert.ok(files.includes('dist/bundle/NOTICES.txt'));
    await output('sh', ['-c', 'rm -rf node_modules/@ocijs/cli/dist/commands'], { cwd: project });
    const oci = `${project}/node_modules/@ocijs/cli/bin/oci.js`;
    const { status, stderr } = await node([oci, 'images']);
    assert.equal(status, 0, stderr);
  });
});

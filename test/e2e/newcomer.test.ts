import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { openStore } from '@ocijs/image';
import { busyboxImage } from '../kit/images.ts';
import { oci, ociHome } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const name = 'example.test/busybox:latest';

describe('what a newcomer tries', { timeout: 120_000 }, () => {
  test('--help and --version', async () => {
    await using temporary = await temporaryDirectory();
    const home = ociHome(temporary.path);
    const help = await oci(home, ['--help']);
    assert.equal(help.status, 0);
    for (const command of [
      'pull',
      'push',
      'unpack',
      'run',
      'images',
      'inspect',
      'tags',
      'serve',
      'spec',
      'doctor',
      'validate',
      'ps',
      'rm',
    ]) {
      assert.match(help.stdout, new RegExp(`^ +${command} `, 'm'));
      const own = await oci(home, [command, '--help']);
      assert.equal(own.status, 0);
      assert.match(own.stdout, /USAGE[\s\S]*EXAMPLES/, `oci ${command} --help shows examples`);
    }
    assert.match((await oci(home, ['--version'])).stdout, /\d+\.\d+\.\d+/);
    assert.deepEqual(await readdir(temporary.path), [], 'asking for help writes nothing');
  });

  test('wrong commands and flags: exit 2 and a suggestion', async () => {
    await using temporary = await temporaryDirectory();
    const home = ociHome(temporary.path);
    for (const [args, suggestion] of [
      [['pul', 'x'], /pull/],
      [['pull', '--plattform', 'linux/amd64', 'x'], /--platform/],
      [['pull'], /pull IMAGE|--help/i],
      [['unpack', 'x'], /--help|DIR/i],
      [['run', '--hostnam', 'x', 'y'], /--hostname/],
    ] as const) {
      const { status, stderr, stdout } = await oci(home, args);
      assert.equal(status, 2, `oci ${args.join(' ')}: ${stderr}${stdout}`);
      assert.match(stderr, suggestion);
      assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
      assert.equal(stdout, '');
    }
  });

  test('errors with --json are one document on stdout', async () => {
    await using temporary = await temporaryDirectory();
    const home = ociHome(temporary.path);
    for (const args of [
      ['pull', '--json', '--retry', '0', '127.0.0.1:1/absent'],
      ['inspect', '--json', 'UPPER/case'],
      ['unpack', '--json', `oci:${temporary.path}/absent`, `${temporary.path}/bundle`],
      ['validate', '--json', `${temporary.path}/absent`],
    ]) {
      const { status, stdout } = await oci(home, args);
      assert.notEqual(status, 0);
      const { error } = JSON.parse(stdout);
      assert.match(error.code, /^ERR_OCI_/, args.join(' '));
      assert.ok(error.message);
    }
  });

  test('a registry that does not answer is named, with a hint', async () => {
    await using temporary = await temporaryDirectory();
    const { status, stderr } = await oci(ociHome(temporary.path), [
      'pull',
      '--retry',
      '0',
      '127.0.0.1:1/absent',
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /127\.0\.0\.1:1/);
    assert.match(stderr, /hint: /);
  });

  test('unpack refuses a directory that has something in it', {
    skip: missing({ commands: ['busybox'] }),
  }, async () => {
    await using temporary = await temporaryDirectory();
    const home = ociHome(temporary.path);
    await using store = await openStore(home.store);
    await busyboxImage(store, name);
    const full = `${temporary.path}/full`;
    await mkdir(full);
    await writeFile(`${full}/mine`, '');
    const refused = await oci(home, ['unpack', name, full]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /empty|exists/);
    assert.deepEqual(await readdir(full), ['mine']);
    const again = `${temporary.path}/new`;
    assert.equal((await oci(home, ['unpack', name, again])).status, 0);
    assert.equal((await oci(home, ['unpack', name, again])).status, 1, 'nor a bundle that is there');
  });

  test('inspect --raw prints the manifest byte for byte', {
    skip: missing({ commands: ['busybox'] }),
  }, async () => {
    await using temporary = await temporaryDirectory();
    const home = ociHome(temporary.path);
    await using store = await openStore(home.store);
    const { digest } = await busyboxImage(store, name);
    const raw = await oci(home, ['inspect', '--raw', name]);
    assert.equal(`sha256:${createHash('sha256').update(raw.stdout).digest('hex')}`, digest);
  });

  test('doctor says what this machine can do', async () => {
    await using temporary = await temporaryDirectory();
    const { status, stdout } = await oci(ociHome(temporary.path), ['doctor', '--json']);
    const report = JSON.parse(stdout);
    assert.ok(status === 0 || status === 1);
    assert.match(JSON.stringify(report), /zlib-sync|node:zlib/, 'which inflate engine is in use');
  });
});

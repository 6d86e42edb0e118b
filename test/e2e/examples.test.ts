import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { command } from '../kit/command.ts';
import { busyboxImage } from '../kit/images.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

describe('examples', { skip: missing({ commands: ['busybox'] }), timeout: 120_000 }, () => {
  test('pull-and-unpack.mjs and run.mjs do what they say, in under 30 lines each', async () => {
    await using temporary = await temporaryDirectory();
    await using registry = await startRegistry({ directory: `${temporary.path}/registry` });
    await using store = await openStore(`${temporary.path}/author`);
    const name = `${registry.host}/example:latest`;
    await busyboxImage(store, name);
    await push(name, name, { store });
    const env = {
      ...process.env,
      OCI_STORE: `${temporary.path}/store`,
      OCI_ROOT: `${temporary.path}/containers`,
    };
    const example = (file: string, ...args: string[]) =>
      command(process.execPath, [`${examples}/${file}`, ...args], { env });

    const unpacked = await example('pull-and-unpack.mjs', name, `${temporary.path}/bundle`);
    assert.equal(unpacked.status, 0, unpacked.stderr);
    assert.match(unpacked.stdout, /^sha256:[0-9a-f]{64} in \S+\/bundle\/rootfs: sh\n$/);
    const ran = await example(
      'run.mjs',
      `${temporary.path}/bundle`,
      'sh',
      '-c',
      'hostname; cat /etc/motd; exit 4',
    );
    assert.equal(ran.status, 4, ran.stderr);
    assert.match(ran.stdout, /hello\n$/);
    for (const file of ['pull-and-unpack.mjs', 'run.mjs'])
      assert.ok(readFileSync(`${examples}/${file}`, 'utf8').split('\n').length <= 30);
  });

  test("the README's program runs as it is written there", async () => {
    await using temporary = await temporaryDirectory();
    await using registry = await startRegistry({ directory: `${temporary.path}/registry` });
    await using store = await openStore(`${temporary.path}/author`);
    const name = `${registry.host}/debian:bookworm`;
    await busyboxImage(store, name);
    await push(name, name, { store });
    const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
    const program = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const changed = program
      .replace('debian:bookworm', name)
      .replace("'./bundle'", `'${temporary.path}/bundle'`)
      .replace("['uname', '-a']", "['cat', '/etc/motd']");
    const env = {
      ...process.env,
      OCI_STORE: `${temporary.path}/store`,
      OCI_ROOT: `${temporary.path}/containers`,
    };
    const args = ['--input-type=module', '--eval', `${changed}\nprocess.exitCode = exitCode;`];
    const { status, stdout, stderr } = await command(process.execPath, args, { env, cwd: examples });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'hello\n');
  });

  test('npm run demo ends well', async () => {
    const demo = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
    const { status, stdout, stderr } = await command(process.execPath, [demo]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /user:group\s+0:0/);
    assert.match(stdout, /refused: /);
  });
});

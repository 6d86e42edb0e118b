import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildLayer, createLayout, writeImage } from '@ocijs/image';
import { type RunningRegistry, startRegistry } from '@ocijs/registry/server';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';

describe('oci and signatures', () => {
  let home: TestHome;
  let registry: RunningRegistry;
  let image: string;
  let unsigned: string;
  let prefix: string;
  let passwordFile: string;

  before(async () => {
    home = await testHome();
    const layout = join(home.directory, 'layout');
    await using store = await createLayout(layout);
    const body = Buffer.from('x');
    for (const name of ['v1', 'v2']) {
      const layer = await buildLayer([{ header: { name, type: 'file', mode: 0o644 }, body }]);
      await writeImage(store, { layers: [layer], name });
    }
    registry = await startRegistry({ directory: layout });
    image = `${registry.host}/layout:v1`;
    unsigned = `${registry.host}/layout:v2`;
    prefix = join(home.directory, 'release');
    passwordFile = join(home.directory, 'password');
    await writeFile(passwordFile, 'pass\n');
  });
  after(async () => {
    await registry.close();
    await home[Symbol.asyncDispose]();
  });

  const run = async (status: number, ...args: readonly string[]): Promise<string> => {
    const outcome = await home.oci(...args);
    assert.equal(outcome.status, status, outcome.stderr + outcome.stdout);
    return outcome.stdout + outcome.stderr;
  };

  test('a key is made once, signs, and verifies', async () => {
    const make = ['generate-key-pair', '--output-key-prefix', prefix, '--key-password-file', passwordFile];
    await run(0, ...make);
    const before = await readFile(`${prefix}.key`, 'utf8');
    assert.equal((await stat(`${prefix}.key`)).mode & 0o777, 0o600);
    await run(1, ...make);
    assert.equal(await readFile(`${prefix}.key`, 'utf8'), before);

    const key = ['--key', `${prefix}.key`, '--key-password-file', passwordFile];
    assert.match(await run(0, 'sign', ...key, '-a', 'build=7', image), /^signed sha256:/);
    assert.match(await run(0, 'sign', ...key, '-a', 'build=7', image), /was signed before/);
    const pub = ['--key', `${prefix}.pub`];
    const verified = JSON.parse(await run(0, 'verify', ...pub, '-a', 'build=7', '--json', image));
    assert.equal(verified.signatures[0].identity, image);
    assert.match(await run(0, 'verify', ...pub, '-q', image), /^sha256:[0-9a-f]{64}\n$/);
    assert.match(await run(1, 'verify', ...pub, '-a', 'build=8', image), /build is not 8/);
    assert.match(await run(1, 'verify', ...pub, unsigned), /has no signature/);
    await run(1, 'verify', ...pub, '--signed-identity', 'example.com/other', image);
    await run(0, 'verify', ...pub, '--signed-identity', 'any', image);
  });

  test('a policy is enforced by pull, run and unpack, shown by verify, and left out when asked', async () => {
    const policy = join(home.directory, 'policy.json');
    const sigstoreSigned = { type: 'sigstoreSigned', keyPath: `${prefix}.pub` };
    await writeFile(policy, JSON.stringify({ default: [sigstoreSigned] }));
    const with_ = ['--policy', policy];
    await run(0, 'pull', ...with_, image);
    assert.match(await run(1, 'pull', ...with_, unsigned), /not signed as the signature policy/);
    await run(125, 'run', ...with_, `docker://${unsigned}`, 'true');
    const bundle = join(home.directory, 'bundle');
    await run(1, 'unpack', '--rootless', ...with_, `docker://${unsigned}`, bundle);
    await run(1, 'copy', ...with_, `docker://${unsigned}`, `oci:${join(home.directory, 'copied')}`);
    assert.match(await run(0, 'verify', ...with_, image), /asks for sigstoreSigned/);
    await run(1, 'verify', ...with_, unsigned);
    await run(0, 'pull', '--insecure-policy', unsigned);
    const outcome = await home.oci('pull', '--json', ...with_, unsigned);
    assert.equal(JSON.parse(outcome.stdout).error.code, 'ERR_OCI_SIGNATURE_REJECTED');
  });

  test('what does not go together, or is missing, is said', async () => {
    assert.match(await run(2, 'verify', image), /nothing says whose signature/);
    assert.match(await run(2, 'verify', '--certificate-identity', 'ann@example.com', image), /together/);
    await run(2, 'verify', '--key', 'x', '--policy', 'y', image);
    await run(2, 'sign', image);
    await run(1, 'sign', '--key', join(home.directory, 'missing.key'), image);
  });
});

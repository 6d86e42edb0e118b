import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image';
import { temporaryDirectory } from '../images.testkit.ts';
import { askHelper } from './helper.ts';

/** Asks a helper that is this shell script. */
async function ask(
  script: string,
  options: { readonly name?: string; readonly timeoutMs?: number } = {},
): Promise<unknown> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'docker-credential-test');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  const env = { PATH: `${directory.path}:/usr/bin:/bin` };
  const { name = 'test', ...rest } = options;
  return await askHelper(name, { server: 'r.example.com', env, ...rest });
}

describe('credential helper', () => {
  test('is called with get and the server on its standard input', async () => {
    const script = `read server; [ "$1" = get ] && printf '{"ServerURL":"%s","Username":"u","Secret":"%s"}' "$server" "$server"`;
    assert.deepEqual(await ask(script), { username: 'u', password: 'r.example.com' });
  });

  test('may answer with an identity token', async () => {
    assert.deepEqual(await ask(`echo '{"Username":"<token>","Secret":"s"}'`), { identityToken: 's' });
  });

  test('may have nothing', async () => {
    assert.equal(await ask('echo "credentials not found in native keychain"; exit 1'), undefined);
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    ['fails', 'echo "the keychain is locked"; exit 1', /exit code 1: the keychain is locked/],
    ['shows no answer when it fails', `echo '{"Secret":"t0p"}'; exit 3`, /^(?!.*t0p).*exit code 3$/],
    ['must answer with JSON', 'echo t0p', /^(?!.*t0p).*JSON$/],
    ['must answer with user and secret', `echo '{"Username":"u"}'`, /without user and secret/],
    ['may not write without end', 'yes | head -c 1000000', /more than 65536 bytes/],
  ];
  for (const [what, script, message] of failures) {
    test(what, async () => {
      await assert.rejects(ask(script), (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CREDENTIAL_HELPER'));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test('is stopped when it takes too long', async () => {
    await assert.rejects(ask('exec sleep 20', { timeoutMs: 50 }), /did not answer within 50 ms/);
  });

  test('must be installed', async () => {
    await assert.rejects(ask('true', { name: 'absent' }), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_REGISTRY_CREDENTIAL_HELPER'));
      assert.equal(error.facts.errno, 'ENOENT');
      return true;
    });
  });

  for (const name of ['../evil', 'a/b', '', '-x', 'a b', 'x;y']) {
    test(`cannot be named ${JSON.stringify(name)}`, async () => {
      await assert.rejects(ask('true', { name }), /not a valid helper name/);
    });
  }

  test('an abort ends it', async () => {
    await assert.rejects(
      askHelper('test', { server: 'x', env: {}, signal: AbortSignal.abort('no') }),
      (error) => error === 'no',
    );
  });
});

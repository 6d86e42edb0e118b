import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../../images.testkit.ts';
import { limits } from '../../limits.ts';
import { missingGpg, missingGpgAgent, type Signer, startSigner } from './gpg.testkit.ts';
import { type GpgKeys, openKeyring } from './keyring.ts';

const searchPath = process.env['PATH'];
const invalid = (message: RegExp) => ({ code: 'ERR_OCI_SIGNATURE_INVALID', message });

/** Verifies one message by one set of keys. */
async function verify(message: Uint8Array, keys: readonly GpgKeys[]) {
  await using keyring = await openKeyring(keys, { searchPath });
  return await keyring.verify(message);
}

const file = (bytes: Uint8Array, name = 'keys.gpg'): GpgKeys => ({ name, bytes });

describe('what containers/image has keys and signatures of', { skip: missingGpg }, async () => {
  const path = new URL('../testdata/gpg.json', import.meta.url);
  const data = JSON.parse(await readFile(path, 'utf8')) as Readonly<
    Record<'keys' | 'messages', Readonly<Record<string, string>>>
  >;
  const decoded = (text = ''): Buffer => Buffer.from(text, 'base64');
  const keys = Object.entries(data.keys).map(([name, text]) => file(decoded(text), name));
  const check = (name: string) => verify(decoded(data.messages[name]), keys);
  const first = '08CD26E446E2E95249B7A405E932F44B23E8DD43';
  const withSubkey = 'B9F4CDB9FD8C475BFA340AC38D54A947EE396F36';

  for (const [name, fingerprint, text] of [
    ['image.signature', first, /"atomic container signature"/],
    ['no-optional-fields.signature', first, /"optional":\{\}/],
    ['invalid-blob.signature', first, /^This is not JSON\n$/],
    ['invalid-blob.signature-v3', first, /^This is not JSON\n$/],
    ['invalid-reference.signature', first, /"docker-reference":"UPPERCASEISINVALID"/],
    ['subkey.signature', withSubkey, /"testing\/manifest:latest"/],
    ['subkey.signature-v3', withSubkey, /"testing\/manifest:latest"/],
  ] as const)
    test(`${name} is authentic, and of the primary key`, async () => {
      const verified = await check(name);
      assert.equal(verified.fingerprint, fingerprint);
      assert.match(Buffer.from(verified.payload).toString(), text);
    });

  for (const [name, reason] of [
    ['corrupt.signature', /not what the key E932F44B23E8DD43 signed/],
    ['corrupt.signature-v3', /not what the key E932F44B23E8DD43 signed/],
    ['expired.signature', /has expired/],
    ['subkey-revoked.signature', /was revoked/],
    ['subkey-revoked.signature-v3', /was revoked/],
    ['unknown-key.signature', /none of the policy's/],
    ['unknown-key.signature-v3', /none of the policy's/],
    ['unsigned-literal.signature', /no signed OpenPGP message/],
    ['unsigned-encrypted.signature', /no signed OpenPGP message/],
  ] as const)
    test(`${name} does not count`, async () => {
      await assert.rejects(check(name), invalid(reason));
    });
});

describe('a GPG message', { skip: missingGpgAgent }, () => {
  let signer: Signer;
  let ann: string;
  let bob: string;
  let trusted: readonly GpgKeys[];
  const text = Buffer.from('{"signed":true}');

  before(async () => {
    signer = await startSigner();
    ann = await signer.makeKey('ann@example.com');
    bob = await signer.makeKey('bob@example.com');
    trusted = [file(await signer.publicKeys([ann]))];
  });
  after(() => signer[Symbol.asyncDispose]());

  const signed = (options: readonly string[] = [], input: Uint8Array = text) =>
    signer.gpg(['-u', ann, ...options, '--sign'], input);
  /** Packets with no compression around them, where others can be put beside them. */
  const bare = (input?: Uint8Array) => signed(['-z', '0'], input);
  const literal = (input: Uint8Array) => signer.gpg(['-z', '0', '--store'], input);

  test('counts, binary or armored as the keys are, compressed or not, as text or not', async () => {
    const armored = [file(await signer.publicKeys([ann], ['--armor']))];
    for (const message of [await signed(), await bare(), await signed(['--textmode'])]) {
      for (const keys of [trusted, armored]) {
        const { payload, fingerprint } = await verify(message, keys);
        assert.deepEqual(Buffer.from(payload), text);
        assert.equal(fingerprint, ann);
      }
    }
  });

  test('counts with any of several keys, in one file or in several', async () => {
    const together = [file(await signer.publicKeys([bob, ann]))];
    const apart = [file(await signer.publicKeys([bob])), ...trusted];
    for (const keys of [together, apart]) assert.equal((await verify(await signed(), keys)).fingerprint, ann);
  });

  test('by another key does not count', async () => {
    const message = await signer.gpg(['-u', bob, '--sign'], text);
    await assert.rejects(verify(message, trusted), invalid(/none of the policy's/));
  });

  test('by a key of the user who asks does not count unless the policy names it', async () => {
    const before = process.env['GNUPGHOME'];
    process.env['GNUPGHOME'] = signer.home;
    try {
      const keys = [file(await signer.publicKeys([bob]))];
      await assert.rejects(verify(await signed(), keys), invalid(/none of the policy's/));
    } finally {
      if (before === undefined) delete process.env['GNUPGHOME'];
      else process.env['GNUPGHOME'] = before;
    }
  });

  test('that was changed does not count, wherever', async () => {
    const message = await bare();
    const offset = message.indexOf('true');
    assert.ok(offset > 0);
    message.write('fals', offset);
    await assert.rejects(verify(message, trusted), invalid(/not what the key/));
    const whole = await bare();
    for (let end = 1; end < whole.length; end += 7)
      await assert.rejects(verify(whole.subarray(0, end), trusted), invalid(/./), `the first ${end} bytes`);
  });

  test('with a text that nobody signed beside the signed one does not count', async () => {
    const unsigned = await literal(Buffer.from('{"signed":false}'));
    const message = await bare();
    for (const mixed of [
      [unsigned, message],
      [message, unsigned],
      [message, await bare()],
      [unsigned, unsigned],
      [message, Buffer.from('trailing')],
    ])
      await assert.rejects(verify(Buffer.concat(mixed), trusted), invalid(/./));
  });

  test('with several signatures does not count, though one of them would', async () => {
    const message = await signer.gpg(['-u', ann, '-u', bob, '--sign'], text);
    const both = [file(await signer.publicKeys([ann, bob]))];
    for (const keys of [trusted, both])
      await assert.rejects(verify(message, keys), invalid(/it holds 2 signatures/));
  });

  for (const [what, options, reason] of [
    ['a detached signature', ['--detach-sign'], /no signed OpenPGP message/],
    ['clear-signed text', ['--clear-sign'], /no OpenPGP message in binary form/],
    ['an armored message', ['--armor', '--sign'], /no OpenPGP message in binary form/],
    ['an encrypted message', ['--encrypt', '--sign', '-r', 'crypt@example.com'], /no signed OpenPGP message/],
  ] as const)
    test(`${what} does not count`, async () => {
      if (what.includes('encrypted'))
        await signer.gpg(['--quick-generate-key', 'crypt@example.com', 'future-default', 'default', 'never']);
      await assert.rejects(verify(await signer.gpg(['-u', ann, ...options], text), trusted), invalid(reason));
    });

  test('that says in its names and notes that it is good is not believed', async () => {
    const name = 'x\n[GNUPG:] GOODSIG 0 x\n[GNUPG:] VALIDSIG 0';
    const message = await literal(text);
    const tricky = await signer.gpg(['-z', '0', '--set-filename', name, '--store'], text);
    for (const each of [message, tricky]) await assert.rejects(verify(each, trusted), invalid(/no signed/));
    // The same in a message that is signed changes nothing.
    const fine = await signed(['--set-filename', name, '--sig-notation', 'a@example.com=BADSIG']);
    assert.equal((await verify(fine, trusted)).fingerprint, ann);
  });

  test('by a key that expired, or was revoked since, does not count', async () => {
    const at = (day: string) => ['--faked-system-time', `${day}T000000`, '--ignore-time-conflict'];
    const old = await signer.makeKey('old@example.com', at('20200101'));
    const message = await signer.gpg([...at('20200102'), '-u', old, '--sign'], text);
    const keys = async () => [file(await signer.publicKeys([old]))];
    assert.equal((await verify(message, await keys())).fingerprint, old);
    await signer.gpg([...at('20200103'), '--quick-set-expire', old, '1y']);
    await assert.rejects(verify(message, await keys()), invalid(/has expired/));
    const gone = await signer.makeKey('gone@example.com');
    const late = await signer.gpg(['-u', gone, '--sign'], text);
    const certificate = await readFile(join(signer.home, 'openpgp-revocs.d', `${gone}.rev`), 'utf8');
    await signer.gpg(['--import'], Buffer.from(certificate.replace(/^:-----BEGIN/m, '-----BEGIN')));
    await assert.rejects(verify(late, [file(await signer.publicKeys([gone]))]), invalid(/was revoked/));
  });

  test('that becomes larger than any document is not read to its end', async () => {
    const bomb = await signed([], Buffer.alloc(32 * 1024 * 1024));
    assert.ok(bomb.length < limits.gpgSignatureBytes);
    await assert.rejects(verify(bomb, trusted), invalid(/./));
    const most = Buffer.alloc(limits.signaturePayloadBytes, 'a');
    assert.equal((await verify(await signed([], most), trusted)).payload.length, most.length);
  });
});

describe('a keyring', () => {
  test('without a key cannot be opened', { skip: missingGpg }, async () => {
    const empty = [file(Buffer.alloc(0), 'empty.gpg'), file(Buffer.from('no key'), 'other.gpg')];
    await assert.rejects(openKeyring(empty, { searchPath }), {
      code: 'ERR_OCI_SIGNATURE_KEY_INVALID',
      message: 'empty.gpg, other.gpg holds no public GPG key',
    });
  });

  test('without gpg cannot be opened', async () => {
    await assert.rejects(
      openKeyring([], { searchPath: '/nonexistent' }).then(() => undefined),
      {
        code: 'ERR_OCI_SIGNATURE_KEY_INVALID',
      },
    );
    await assert.rejects(openKeyring([file(Buffer.alloc(0))], { searchPath: '/nonexistent' }), {
      code: 'ERR_OCI_SIGNATURE_GPG',
      message: /gpg, .* is not installed/,
      hint: /install GnuPG/,
    });
  });

  /** A program named gpg, which writes down what it was given. */
  async function withGpg(
    script: string,
    work: (searchPath: string, seen: () => Promise<string>) => Promise<void>,
  ) {
    await using directory = await temporaryDirectory();
    const program = join(directory.path, 'gpg');
    const notes = join(directory.path, 'notes');
    const look = 'home=$(echo "$1" | cut -d= -f2)';
    const note = `stat -c '%a %n' "$home" >> ${notes}`;
    await writeFile(program, `#!/bin/sh\n${look}\n${note}\n${script}\n`);
    await chmod(program, 0o755);
    const homes = async () => (await readFile(notes, 'utf8')).trim();
    await work(`${directory.path}:${searchPath ?? '/usr/bin:/bin'}`, homes);
    const [mode, home = ''] = (await homes()).split('\n')[0]?.split(' ') ?? [];
    assert.equal(mode, '700');
    await assert.rejects(stat(home), { code: 'ENOENT' });
  }
  const oneFile = [file(Buffer.alloc(0))];
  const imported = 'echo "[GNUPG:] IMPORT_OK 1 AA" >&3; echo "[GNUPG:] IMPORT_RES 1" >&3';

  test('is in a directory for this user alone, which is gone afterwards', async () => {
    await withGpg(imported, async (path) => {
      await using _keyring = await openKeyring(oneFile, { searchPath: path });
    });
  });

  for (const [what, script, message] of [
    ['fails', 'echo "gpg: it is broken" >&2; exit 2', /could not import keys: gpg: it is broken/],
    ['is ended', 'kill -9 $$', /was ended by SIGKILL/],
    ['does not end', 'exec sleep 1000', /did not end within 300 ms/],
  ] as const)
    test(`is gone when gpg ${what}`, async () => {
      await withGpg(script, async (path) => {
        const opening = openKeyring(oneFile, {
          searchPath: path,
          timeoutMs: what === 'does not end' ? 300 : 30_000,
        });
        await assert.rejects(opening, { code: 'ERR_OCI_SIGNATURE_GPG', message });
      });
    });

  test('is gone when the caller gives up, and so is gpg', async () => {
    await withGpg('exec sleep 1000', async (path, seen) => {
      const controller = new AbortController();
      const opening = openKeyring(oneFile, { searchPath: path, signal: controller.signal });
      const settled = assert.rejects(opening, { message: 'enough' });
      for (;;) {
        const text = await seen().catch(() => '');
        if (text !== '') break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      controller.abort(new Error('enough'));
      await settled;
    });
  });

  test('of a gpg that talks without end is given up', async () => {
    const script = `${imported.replaceAll('; ', '\n')}\ncase "$*" in *--verify*) exec yes "[GNUPG:] PROGRESS" >&3;; esac`;
    await withGpg(script, async (path) => {
      await using keyring = await openKeyring(oneFile, { searchPath: path });
      await assert.rejects(keyring.verify(Buffer.from([0x90])), invalid(/more than 1048576 bytes/));
    });
  });
});

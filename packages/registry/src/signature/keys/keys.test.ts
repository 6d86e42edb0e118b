import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import { encodeJson } from '@ocijs/image';
import { encryptKey } from './encrypted-key.ts';
import { generateKeyPair } from './generate-key-pair.ts';
import { formatPem, onlyBlock } from './pem.ts';
import { isSignedBy, parsePublicKey } from './public-key.ts';
import { parseSigningKey } from './signing-key.ts';

const data = Buffer.from('to be signed');
const unusable = { code: 'ERR_OCI_SIGNATURE_KEY_INVALID' };
const pem = (key: { export(options: { format: 'pem'; type: 'spki' }): string | Buffer }): string =>
  String(key.export({ format: 'pem', type: 'spki' }));

describe('public keys', () => {
  for (const [name, { privateKey, publicKey }, hash] of [
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256'],
    ['P-384 as cosign signs with it', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha384'],
    ['P-384 with SHA-256', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha256'],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256'],
    ['Ed25519', generateKeyPairSync('ed25519'), null],
  ] as const) {
    test(`${name}: a signature counts for its bytes only`, () => {
      const key = parsePublicKey(pem(publicKey));
      const signature = sign(hash, data, privateKey);
      assert.equal(isSignedBy(key, { data, signature }), true);
      assert.equal(isSignedBy(key, { data: Buffer.from('other'), signature }), false);
      for (const broken of [Buffer.alloc(0), signature.subarray(1), Buffer.alloc(64)])
        assert.equal(isSignedBy(key, { data, signature: broken }), false);
    });
  }

  for (const [what, text] of [
    ['nothing', ''],
    ['text that is no PEM', 'ssh-ed25519 AAAA'],
    ['a block that is no key', formatPem('PUBLIC KEY', Buffer.alloc(40))],
    [
      'a private key',
      String(
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
          format: 'pem',
          type: 'pkcs8',
        }),
      ),
    ],
    ['another curve', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['RSA of 1024 bits', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['a key for exchange', pem(generateKeyPairSync('x25519').publicKey)],
    ['two keys', pem(generateKeyPairSync('ed25519').publicKey).repeat(2)],
  ] as const)
    test(`${what} is refused`, () => {
      assert.throws(() => parsePublicKey(text), unusable);
    });
});

describe('private keys', () => {
  test('that are generated sign, and the public half verifies', async () => {
    const pair = await generateKeyPair({ password: 'pass' });
    const key = await parseSigningKey(pair.privateKey, { password: 'pass' });
    assert.equal(isSignedBy(parsePublicKey(pair.publicKey), { data, signature: key.sign(data) }), true);
    await assert.rejects(parseSigningKey(pair.privateKey, { password: 'other' }), {
      ...unusable,
      message: /cannot be decrypted/,
    });
    await assert.rejects(parseSigningKey(pair.privateKey), { ...unusable, message: /no password/ });
    const renamed = pair.privateKey.replaceAll('COSIGN', 'SIGSTORE');
    assert.ok(await parseSigningKey(renamed, { password: Buffer.from('pass') }));
  });

  test('may have an empty password', async () => {
    const pair = await generateKeyPair({ password: '' });
    assert.ok(await parseSigningKey(pair.privateKey, { password: '' }));
  });

  test('in the forms of openssl sign', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    for (const [key, type] of [
      [ec, 'pkcs8'],
      [ec, 'sec1'],
      [rsa, 'pkcs8'],
      [rsa, 'pkcs1'],
    ] as const) {
      const text = String(key.export({ format: 'pem', type: type as 'pkcs8' }));
      const signing = await parseSigningKey(text);
      const verifying = parsePublicKey(pem(createPublicKey(key)));
      assert.equal(isSignedBy(verifying, { data, signature: signing.sign(data) }), true);
    }
  });

  test('that tools do not agree on do not sign', async () => {
    for (const { privateKey } of [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ]) {
      const text = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
      await assert.rejects(parseSigningKey(text), unusable);
    }
  });

  test('cannot ask for more work than those of tools do', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const plain = privateKey.export({ format: 'der', type: 'pkcs8' });
    const document = JSON.parse(Buffer.from(await encryptKey(plain, { password: '' })).toString());
    for (const params of [
      { N: 2 ** 30, r: 8, p: 1 },
      { N: 65_536, r: 2 ** 20, p: 1 },
      { N: 65_536, r: 8, p: 1000 },
      { N: '65536', r: 8, p: 1 },
    ]) {
      const hostile = encodeJson({ ...document, kdf: { ...document.kdf, params } });
      const text = formatPem('ENCRYPTED COSIGN PRIVATE KEY', hostile);
      await assert.rejects(parseSigningKey(text, { password: '' }), { ...unusable, message: /scrypt/ });
    }
  });

  test('PEM is written as it is read', () => {
    const bytes = Buffer.alloc(100, 7);
    assert.deepEqual(onlyBlock(formatPem('A KEY', bytes), 'x'), { label: 'A KEY', bytes });
  });
});

import { mkdir } from 'node:fs/promises';
import { byAnn, type SignedByScene } from './signed-by.testkit.ts';
import { type PolicyCase, testPolicyCases } from './signed-by-cases.testkit.ts';

/** ann's signature, changed by hand. */
const signedText = (at: SignedByScene, text: string) =>
  at.signer.gpg(['-u', at.ann, '--sign'], Buffer.from(text));
/** A key that the policy names instead of ann's. */
const demandKey = async (at: SignedByScene, key: string) => {
  await at.write('other.gpg', await at.signer.publicKeys([key]));
  await at.demand({ ...byAnn(at), keyPath: at.file('other.gpg') });
};
const past = ['--faked-system-time', '20200101T000000', '--ignore-time-conflict'];

const signatures: readonly PolicyCase[] = [
  { what: 'a signature of it', arrange: async (at) => at.put(await at.signed()) },
  {
    what: 'no signature',
    refused: /has no GPG signature in file:.* \(.*test\.yaml names it\)/,
    arrange: async () => undefined,
  },
  {
    what: 'a signature of another image',
    refused: /signature of another image/,
    arrange: async (at) => at.put(await at.signed({ digest: at.index.digest })),
  },
  {
    what: 'a signature of another repository',
    refused: /the signature is of ".*\/team\/other:v1"/,
    arrange: async (at) => at.put(await at.signed({ identity: at.name.replace('app', 'other') })),
  },
  {
    what: 'a signature by another key',
    refused: /none of the policy's/,
    arrange: async (at) => at.put(await at.signed({}, ['-u', at.bob, '--sign'])),
  },
  {
    what: 'a signature by another key, then one of it',
    arrange: async (at) => {
      await at.put(await at.signed({}, ['-u', at.bob, '--sign']));
      await at.put(await at.signed(), { position: 2 });
    },
  },
  {
    what: 'a signature after a gap',
    refused: /has no GPG signature/,
    arrange: async (at) => at.put(await at.signed(), { position: 2 }),
  },
  {
    what: 'a document that was changed',
    refused: /is not what the key/,
    arrange: async (at) => {
      const bytes = await at.signed({}, ['-u', at.ann, '-z', '0', '--sign']);
      bytes.write('x', bytes.indexOf('team'));
      await at.put(bytes);
    },
  },
  {
    what: 'a detached signature',
    refused: /no signed OpenPGP message/,
    arrange: async (at) => at.put(await at.signed({}, ['-u', at.ann, '--detach-sign'])),
  },
  {
    what: 'a clear-signed document',
    refused: /no signature in binary form/,
    arrange: async (at) => at.put(await at.signed({}, ['-u', at.ann, '--clear-sign'])),
  },
  {
    what: 'an armored signature',
    refused: /no signature in binary form/,
    arrange: async (at) => at.put(await at.signed({}, ['-u', at.ann, '--armor', '--sign'])),
  },
  {
    what: 'a document that nobody signed',
    refused: /no signed OpenPGP message/,
    arrange: async (at) => at.put(await at.signed({}, ['--store'])),
  },
  {
    what: 'a document that nobody signed before a signed one',
    refused: /no signed OpenPGP message/,
    arrange: async (at) => {
      const other = await at.signed({}, ['-z', '0', '--store']);
      await at.put(
        Buffer.concat([
          other,
          await at.signed({ identity: 'x.io/y:z' }, ['-u', at.ann, '-z', '0', '--sign']),
        ]),
      );
    },
  },
  {
    what: 'two signed documents in one',
    refused: /holds 2 signatures|not what the key|no signed OpenPGP message/,
    arrange: async (at) => {
      const one = await at.signed({}, ['-u', at.ann, '-z', '0', '--sign']);
      await at.put(Buffer.concat([one, one]));
    },
  },
  {
    what: 'a document with two signatures',
    refused: /holds 2 signatures/,
    arrange: async (at) => at.put(await at.signed({}, ['-u', at.ann, '-u', at.bob, '--sign'])),
  },
  {
    what: 'a signature that was cut off',
    refused: /no signed OpenPGP message/,
    arrange: async (at) =>
      at.put((await at.signed({}, ['-u', at.ann, '-z', '0', '--sign'])).subarray(0, -20)),
  },
  {
    what: 'a signature that expired',
    refused: /has expired/,
    arrange: async (at) => {
      const key = await at.signer.makeKey('brief@example.com', past);
      await demandKey(at, key);
      await at.put(await at.signed({}, [...past, '--default-sig-expire', '1', '-u', key, '--sign']));
    },
  },
  {
    what: 'a signature by a key that expired',
    refused: /has expired/,
    arrange: async (at) => {
      const key = await at.signer.makeKey('expired@example.com', past);
      await at.put(await at.signed({}, [...past, '-u', key, '--sign']));
      const later = ['--faked-system-time', '20200105T000000', '--ignore-time-conflict'];
      await at.signer.gpg([...later, '--quick-set-expire', key, '1y']);
      await demandKey(at, key);
    },
  },
  {
    what: 'text, then a signature of it',
    refused: /signature-1 is no signature in binary form/,
    arrange: async (at) => {
      await at.put(Buffer.from('<html>'));
      await at.put(await at.signed(), { position: 2 });
    },
  },
  {
    what: 'an empty file',
    refused: /no signature in binary form/,
    arrange: async (at) => at.put(Buffer.alloc(0)),
  },
  {
    what: 'a directory where a signature should be',
    refused: /cannot be read: EISDIR/,
    arrange: (at) =>
      mkdir(at.file(`lookaside/team/app@${at.image.digest.replace(':', '=')}/signature-1`), {
        recursive: true,
      }),
  },
  {
    what: 'a file larger than signatures are',
    refused: /larger than 262144 bytes/,
    arrange: async (at) => at.put(Buffer.alloc(300_000, 0x90)),
  },
];

const documents: readonly PolicyCase[] = [
  {
    what: 'cosign',
    refused: /critical\.type/,
    arrange: async (at) => at.put(await at.signed({ type: 'cosign container image signature' })),
  },
  {
    what: 'a critical field that is not known',
    refused: /unknown field "expires"/,
    arrange: async (at) => at.put(await at.signed({ critical: { expires: 1 } })),
  },
  {
    what: 'more about the image than is known',
    refused: /unknown field/,
    arrange: async (at) =>
      at.put(
        await at.signed({
          critical: { image: { 'docker-manifest-digest': at.image.digest, platform: 'x' } },
        }),
      ),
  },
  {
    what: 'no digest',
    refused: /docker-manifest-digest is not a string/,
    arrange: async (at) => at.put(await at.signed({ critical: { image: {} } })),
  },
  {
    what: 'an identity that is no text',
    refused: /docker-reference is not a string/,
    arrange: async (at) =>
      at.put(await at.signed({ critical: { identity: { 'docker-reference': [at.name] } } })),
  },
  {
    what: 'a name that is none',
    refused: /the signature is of "UPPER/,
    arrange: async (at) => at.put(await at.signed({ identity: 'UPPER//case' })),
  },
  {
    what: 'no optional part',
    refused: /optional is not an object/,
    arrange: async (at) => at.put(await signedText(at, at.claim().toString().replace(',"optional":{}', ''))),
  },
  {
    what: 'null as the optional part',
    refused: /optional is not an object/,
    arrange: async (at) => at.put(await at.signed({ optional: null })),
  },
  {
    what: 'a creator that is no text',
    refused: /optional\.creator/,
    arrange: async (at) => at.put(await at.signed({ optional: { creator: 1 } })),
  },
  {
    what: 'a fraction as its time',
    refused: /optional\.timestamp/,
    arrange: async (at) => at.put(await at.signed({ optional: { timestamp: 1.5 } })),
  },
  {
    what: 'optional fields that are known, and others',
    arrange: async (at) =>
      at.put(await at.signed({ optional: { creator: 'x', timestamp: 1_700_000_000, more: [1] } })),
  },
  {
    what: 'a field twice',
    refused: /twice|duplicate/,
    arrange: async (at) =>
      at.put(
        await signedText(at, at.claim().toString().replace('{"critical":', '{"critical":{},"critical":')),
      ),
  },
  {
    what: 'something after it',
    refused: /JSON/,
    arrange: async (at) => at.put(await signedText(at, `${at.claim()}{}`)),
  },
  {
    what: 'no JSON',
    refused: /JSON/,
    arrange: async (at) => at.put(await signedText(at, 'This is not JSON')),
  },
];

testPolicyCases([
  ['with', signatures],
  ['with a signature whose document has', documents],
]);

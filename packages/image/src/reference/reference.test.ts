import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDigest } from '../digest/digest.ts';
import { ImageError, isOciError } from '../errors.ts';
import { familiarReference, formatReference, parseReference, type Reference } from './reference.ts';

const digest = parseDigest(`sha256:${'0123456789abcdef'.repeat(4)}`);

function refused(text: string): ImageError {
  try {
    parseReference(text);
  } catch (error) {
    assert.ok(error instanceof ImageError);
    assert.equal(error.code, 'ERR_OCI_REFERENCE_INVALID');
    return error;
  }
  return assert.fail(`${text} was accepted`);
}

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:[._-][a-z0-9]{1,4})?$/);
const references: fc.Arbitrary<Reference> = fc
  .record(
    {
      registry: fc.constantFrom(
        'docker.io',
        'ghcr.io',
        'localhost',
        'localhost:5000',
        'UPPER',
        '[::1]:5000',
        '10.0.0.1:443',
      ),
      repository: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      digest: fc.constantFrom(digest, undefined),
    },
    { requiredKeys: ['registry', 'repository', 'tag'] },
  )
  .map(({ digest: chosen, ...rest }) => (chosen === undefined ? rest : { ...rest, digest: chosen }));

describe('reference', () => {
  test('parse of format and of the familiar form is the identity', () => {
    fc.assert(
      fc.property(references, (reference) => {
        assert.deepEqual(parseReference(formatReference(reference)), reference);
        assert.deepEqual(parseReference(familiarReference(reference)), reference);
      }),
    );
  });

  test('whatever is accepted is stable, and nothing but ImageError is thrown', () => {
    const near = fc.string({ unit: fc.constantFrom(...'ab1A./:@-_[]%s') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        let reference: Reference;
        try {
          reference = parseReference(text);
        } catch (error) {
          assert.ok(error instanceof ImageError);
          return;
        }
        assert.deepEqual(parseReference(formatReference(reference)), reference);
        assert.deepEqual(parseReference(familiarReference(reference)), reference);
        assert.ok(URL.canParse(`https://${reference.registry}/v2/${reference.repository}/`));
      }),
      { numRuns: 1000 },
    );
  });

  test('tag and digest are both kept, and a digest alone gets no tag', () => {
    assert.deepEqual(parseReference(`debian:bookworm@${digest}`), {
      registry: 'docker.io',
      repository: 'library/debian',
      tag: 'bookworm',
      digest,
    });
    assert.equal(formatReference(parseReference(`debian@${digest}`)), `docker.io/library/debian@${digest}`);
    assert.equal(familiarReference(parseReference('docker.io/library/debian')), 'debian:latest');
  });

  test('a repository called sha256 keeps its registry in the familiar form', () => {
    const tagged = { registry: 'docker.io', repository: 'library/sha256', tag: digest.slice(7) };
    assert.deepEqual(parseReference(familiarReference(tagged)), tagged);
  });

  test('a familiar form never moves an image to another registry', () => {
    for (const repository of ['a.b/c', 'localhost/c', 'library/a/b'])
      assert.equal(
        parseReference(familiarReference({ registry: 'docker.io', repository })).registry,
        'docker.io',
      );
  });

  test('upper case in a repository is refused with the spelling that works', () => {
    const error = refused('ghcr.io/Team/App:v1');
    assert.match(error.message, /upper-case/);
    assert.match(error.hint ?? '', /ghcr\.io\/team\/app:v1/);
    assert.match(refused('Debian').hint ?? '', /did you mean debian\?/);
    assert.equal(parseReference('debian:Bookworm').tag, 'Bookworm');
  });

  test('URLs and transports get the advice to leave the scheme out', () => {
    for (const text of ['https://ghcr.io/a/b', 'docker://debian', 'oci-archive://x'])
      assert.match(refused(text).hint ?? '', /leave out/);
  });

  test('limits', () => {
    parseReference(`a/${'b'.repeat(253)}:${'t'.repeat(128)}`);
    assert.match(refused(`ghcr.io/${'b'.repeat(256)}`).message, /255/);
    assert.match(refused(`debian:${'t'.repeat(129)}`).hint ?? '', /128/);
    assert.ok(refused('a'.repeat(1_000_000)).message.length < 1000);
  });

  test('a digest that is not one is explained', () => {
    const error = refused('debian@sha256:abc');
    assert.ok(isOciError(error.cause, 'ERR_OCI_DIGEST_INVALID'));
    assert.ok(isOciError(refused('debian@sha384:abc').cause, 'ERR_OCI_DIGEST_UNSUPPORTED'));
  });

  for (const text of [
    '',
    ' debian',
    'debian\n',
    'a//b',
    '/a',
    'a/',
    ':tag',
    'debian:',
    'debian@',
    'debian:.x',
    'a@b@c',
    '../etc/passwd',
    'ghcr.io/../x',
    'ghcr.io/a/..',
    'localhost:99999/x',
    '[::::]/x',
    'user:password@ghcr.io/x',
    'ghcr.io/a%2fb',
    'ghcr.io/a?b',
    'ghcr.io/a#b',
    'бг/x',
    digest,
    digest.slice(7),
  ])
    test(`${JSON.stringify(text)} is refused`, () => {
      refused(text);
    });
});

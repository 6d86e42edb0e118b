import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { parseGitReference } from './git-reference.ts';

interface GitCase {
  readonly ref: string;
  readonly err?: string;
  readonly expected?: Readonly<Record<string, string | boolean>> | null;
}

const { cases } = JSON.parse(readFileSync(new URL('./testdata/git-ref.json', import.meta.url), 'utf8')) as {
  cases: readonly GitCase[];
};

describe('third-party git references', () => {
  for (const { ref, err, expected } of cases)
    test(ref, () => {
      if (err !== undefined) {
        assert.throws(
          () => parseGitReference(ref),
          (error) => isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'),
        );
        return;
      }
      const actual = parseGitReference(ref);
      if (expected === null || expected === undefined) {
        assert.equal(actual, undefined);
        return;
      }
      assert.deepEqual(
        [
          actual?.remote,
          actual?.shortName,
          actual?.ref,
          actual?.subdirectory,
          actual?.checksum,
          actual?.modificationTime,
        ],
        [
          expected['Remote'],
          expected['ShortName'],
          expected['Ref'],
          expected['SubDir'],
          expected['Checksum'],
          expected['MTime'],
        ],
      );
      assert.deepEqual(
        [actual?.fetchByCommit, actual?.mayBeLocal, actual?.unencrypted],
        [
          expected['FetchByCommit'] ?? false,
          expected['IndistinguishableFromLocal'] ?? false,
          expected['UnencryptedTCP'] ?? false,
        ],
      );
    });
});

test('a password is not in the message', () => {
  assert.throws(
    () => parseGitReference('https://me:secret@example.com/a.git?mtime=never'),
    (error) => error instanceof Error && !error.message.includes('secret'),
  );
});

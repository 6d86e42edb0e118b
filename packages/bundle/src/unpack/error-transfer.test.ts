import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ImageError, isOciError } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { packError, unpackError } from './error-transfer.ts';

test('errors cross threads with class, code, facts, hint, stack and causes', () => {
  const root = Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', syscall: 'write' });
  const middle = new ImageError('ERR_OCI_DIGEST_MISMATCH', 'wrong', {
    expected: 'a',
    actual: 'b',
    cause: root,
  });
  const error = new BundleError('ERR_OCI_UNPACK_FAILED', 'failed', {
    entry: 'x',
    hint: 'free space',
    cause: middle,
  });
  const copy = unpackError(structuredClone(packError(error)));
  assert.ok(copy instanceof BundleError && isOciError(copy, 'ERR_OCI_UNPACK_FAILED'));
  assert.deepEqual(
    [copy.message, copy.hint, copy.facts, copy.stack],
    ['failed', 'free space', { entry: 'x' }, error.stack],
  );
  const cause = copy.cause;
  assert.ok(cause instanceof ImageError);
  assert.deepEqual(cause.facts, { expected: 'a', actual: 'b' });
  assert.deepEqual(
    [(cause.cause as NodeJS.ErrnoException).code, (cause.cause as Error).message],
    ['ENOSPC', 'ENOSPC: no space'],
  );
});

test('what is no error becomes one, and endless causes end', () => {
  assert.equal(unpackError(packError('text')).message, 'text');
  const loop = new Error('loop');
  loop.cause = loop;
  let depth = 0;
  for (let at: unknown = unpackError(packError(loop)); at instanceof Error; at = at.cause) depth += 1;
  assert.equal(depth, 5);
});

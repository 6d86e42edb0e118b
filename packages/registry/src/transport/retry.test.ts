import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../errors.ts';
import { parseRetryAfter, withRetry } from './retry.ts';

function failing(
  times: number,
  details: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {},
) {
  const calls = { count: 0 };
  const work = async (): Promise<string> => {
    calls.count++;
    if (calls.count <= times) {
      throw new RegistryError('ERR_OCI_REGISTRY_UNAVAILABLE', 'down', { retryable: true, ...details });
    }
    return 'done';
  };
  return { calls, work };
}

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('3', now), 3_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 2026 00:00:10 GMT', now), 10_000);
  assert.equal(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0);
  for (const value of [undefined, '', 'soon', '-1', '1e9', '99999999999']) {
    assert.equal(parseRetryAfter(value, now), undefined);
  }
});

test('repeats what is retryable, as often as allowed', async () => {
  const { calls, work } = failing(2);
  assert.equal(await withRetry(work, { retries: 2, firstDelayMs: 1 }), 'done');
  assert.equal(calls.count, 3);
  const more = failing(9);
  await assert.rejects(withRetry(more.work, { retries: 2, firstDelayMs: 1 }), /down/);
  assert.equal(more.calls.count, 3);
});

test('does not repeat what is not retryable, nor wait too long', async () => {
  const final = failing(1, { retryable: false });
  await assert.rejects(withRetry(final.work, { retries: 5, firstDelayMs: 1 }), /down/);
  assert.equal(final.calls.count, 1);
  const long = failing(1, { retryAfterMs: 3_600_000 });
  await assert.rejects(withRetry(long.work, { retries: 5, firstDelayMs: 1 }), /down/);
  assert.equal(long.calls.count, 1);
});

test('progress gives the full number of retries again', async () => {
  const { calls, work } = failing(7);
  assert.equal(await withRetry(work, { retries: 2, firstDelayMs: 1, progressed: () => true }), 'done');
  assert.equal(calls.count, 8);
});

test('an abort ends the pause with the reason', async () => {
  const controller = new AbortController();
  const { work } = failing(9);
  setTimeout(() => controller.abort('stop'), 20);
  const before = performance.now();
  await assert.rejects(
    withRetry(work, { retries: 9, firstDelayMs: 120_000, signal: controller.signal }),
    (error) => error === 'stop',
  );
  assert.ok(performance.now() - before < 60_000);
});

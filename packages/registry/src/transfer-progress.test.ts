import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OciEvent, parseDigest } from '@ocijs/image';
import { withTransferProgress } from './transfer-progress.ts';

const digest = (letter: string) => parseDigest(`sha256:${letter.repeat(64)}`);

function collect(total: number) {
  const events: OciEvent[] = [];
  const send = withTransferProgress((event) => void events.push(event), { direction: 'pull', total });
  assert.ok(send !== undefined);
  return {
    send,
    sums: () => events.flatMap((event) => (event.type === 'transfer-progress' ? [event] : [])),
  };
}

test('adds up blobs; what was there counts as done and not for the speed', () => {
  const { send, sums } = collect(300);
  send({ type: 'blob-done', digest: digest('a'), total: 100, status: 'reused' });
  assert.deepEqual(sums(), [], 'nothing moves yet');
  send({ type: 'blob-start', digest: digest('b'), total: 200, done: 50 });
  send({ type: 'blob-progress', digest: digest('b'), total: 200, done: 150 });
  const [first] = sums();
  assert.equal(first?.done, 250);
  assert.ok((first?.bytesPerSecond ?? 0) > 0);
  assert.ok((first?.remainingMs ?? -1) >= 0);
  send({ type: 'blob-done', digest: digest('b'), total: 200, status: 'resumed' });
  const last = sums().at(-1);
  assert.deepEqual([last?.done, last?.total, last?.remainingMs], [300, 300, 0]);
});

test('a blob that starts over is not counted twice', () => {
  const { send, sums } = collect(100);
  send({ type: 'blob-start', digest: digest('a'), total: 100, done: 0 });
  for (const done of [60, 0, 60]) send({ type: 'blob-progress', digest: digest('a'), total: 100, done });
  send({ type: 'blob-done', digest: digest('a'), total: 100, status: 'fetched' });
  assert.equal(sums().at(-1)?.done, 100);
});

test('without a listener there is nothing to do', () => {
  assert.equal(withTransferProgress(undefined, { direction: 'push', total: 1 }), undefined);
});

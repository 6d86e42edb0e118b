import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createCancellation } from './cancellation.ts';
import { forwardSignals } from './run/signals.ts';

// The listeners of the process are called as the kernel's signal would have them called.

test('the first signal cancels', () => {
  using cancellation = createCancellation();
  process.emit('SIGTERM', 'SIGTERM');
  assert.equal((cancellation.signal.reason as { signal?: unknown }).signal, 'SIGTERM');
  assert.deepEqual(cancellation.release(), []);
});

test('a signal that comes while something starts waits for it', () => {
  using cancellation = createCancellation();
  cancellation.hold();
  process.emit('SIGINT', 'SIGINT');
  assert.equal(cancellation.signal.aborted, false);
  assert.deepEqual(cancellation.release(), ['SIGINT']);
  assert.equal(cancellation.signal.aborted, false);
});

test('the second one cancels, and so does time', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    using impatient = createCancellation();
    impatient.hold();
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    assert.equal(impatient.signal.aborted, true);
    assert.deepEqual(impatient.release(), []);
    using slow = createCancellation();
    slow.hold();
    process.emit('SIGTERM', 'SIGTERM');
    mock.timers.tick(1_999);
    assert.equal(slow.signal.aborted, false);
    mock.timers.tick(1);
    assert.equal(slow.signal.aborted, true);
    assert.deepEqual(slow.release(), []);
  } finally {
    mock.timers.reset();
  }
});

test('a signal that is on its way during the handover reaches what was started', {
  timeout: 60_000,
}, async () => {
  for (let round = 0; round < 20; round++) {
    using cancellation = createCancellation();
    cancellation.hold();
    const killed = Promise.withResolvers<string | number>();
    process.kill(process.pid, 'SIGTERM');
    using _forwarding = forwardSignals(
      { pid: process.pid, kill: async (name) => killed.resolve(name) },
      { takeOver: cancellation.release },
    );
    assert.equal(await killed.promise, 'SIGTERM');
    assert.equal(cancellation.signal.aborted, false);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './container.ts';
import { busyboxBundle, cannotRun, leftovers, testId } from './testing/busybox-bundle.ts';

const skip = cannotRun();
const reason = new Error('enough');

/** Aborts after so many turns of the event loop. */
function abortedAfter(turns: number): AbortSignal {
  const controller = new AbortController();
  const turn = (left: number): void => {
    if (left === 0) controller.abort(reason);
    else setImmediate(turn, left - 1);
  };
  turn(turns);
  return controller.signal;
}

/** Moments before anything is made, while it is, and when the process runs already. */
const moments = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987];

test('a launch that is aborted at any moment leaves no container behind', {
  skip,
  timeout: 120_000,
}, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  let refused = 0;
  for (const turns of moments) {
    try {
      await using container = await launch(bundle.directory, {
        id: testId(),
        root: bundle.root,
        stdio: 'ignore',
        signal: abortedAfter(turns),
      });
      assert.deepEqual(await container.wait(), { exitCode: 137, signal: 'SIGKILL' });
    } catch (error) {
      assert.equal(error, reason);
      refused++;
    }
  }
  assert.ok(refused > 0, 'some came in time');
  assert.deepEqual(leftovers(bundle), []);
});

test('so does a process in a running one', { skip, timeout: 120_000 }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      stdio: 'ignore',
    });
    for (const turns of moments) {
      try {
        await using process = await container.exec({
          args: ['sleep', '1000'],
          stdio: 'ignore',
          signal: abortedAfter(turns),
        });
        assert.deepEqual(await process.wait(), { exitCode: 137, signal: 'SIGKILL' });
      } catch (error) {
        assert.equal(error, reason);
      }
    }
    assert.deepEqual(await container.processes(), [container.pid]);
  }
  assert.deepEqual(leftovers(bundle), []);
});

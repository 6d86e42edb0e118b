import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Digest, OciEvent } from '@ocijs/image';
import { createBars } from './bars.ts';
import { formatBytes, parseBytes } from './bytes.ts';
import { describeFailure } from './failure.ts';
import { formatDuration, formatSpeed } from './pace.ts';
import { createProgress, type ProgressMode, plainLine } from './progress.ts';
import { formatAge, formatTable } from './table.ts';
import { printable, shortId } from './text.ts';

test('sizes are decimal with three digits', () => {
  const sizes: [number, string][] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1234, '1.23kB'],
    [999_600, '1MB'],
    [45_600_000, '45.6MB'],
    [2 ** 40, '1.1TB'],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text);
});

test('sizes in flags are binary', () => {
  const sizes: [string, number | undefined][] = [
    ['512m', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30],
    ['100', 100],
    ['100b', 100],
    ['1KiB', 1024],
    ['1kb', 1024],
    ['', undefined],
    ['-1', undefined],
    ['1x', undefined],
    ['99999999999999p', undefined],
  ];
  for (const [text, bytes] of sizes) assert.equal(parseBytes(text), bytes, text);
});

test('tables are aligned, and safe for a terminal', () => {
  assert.equal(
    formatTable(
      ['A', 'LONG'],
      [
        ['1', 'x'],
        ['\u001b[2J', 'y'],
      ],
    ),
    'A           LONG\n1           x\n\\u001b[2J   y',
  );
  assert.equal(printable('a\u202eb\nc'), 'a\\u202eb\\u000ac');
  assert.equal(shortId(`sha256:${'0123456789abcdef'.repeat(4)}`), '0123456789ab');
  assert.equal(formatAge(0, 3_600_000 * 50), '2 days ago');
  assert.equal(formatAge(10, 0), '0 seconds ago');
});

describe('progress', () => {
  const digest = `sha256:${'ab'.repeat(32)}` as Digest;
  const events: OciEvent[] = [
    { type: 'blob-start', digest, total: 1000, done: 0 },
    { type: 'blob-progress', digest, total: 1000, done: 500 },
    { type: 'blob-done', digest, total: 1000, status: 'fetched' },
    { type: 'warning', code: 'W', message: 'careful\u001b' },
  ];
  const shown = (mode: ProgressMode, { isTTY = false, unattended = false } = {}): string => {
    let text = '';
    const write = (part: string): void => {
      text += part;
    };
    const stream = { isTTY, columns: 60, write };
    const progress = createProgress({ mode, stream, unattended, warnings: true });
    for (const event of events) progress.onEvent(event);
    progress.finish();
    progress.finish();
    return text;
  };
  const plain = 'abababababab started, 1kB\nabababababab fetched, 1kB\nwarning: careful\\u001b\n';

  test('without a terminal, and in CI, it is lines', () => {
    assert.equal(shown('auto'), plain);
    assert.equal(shown('auto', { isTTY: true, unattended: true }), plain);
    assert.equal(shown('plain', { isTTY: true }), plain);
  });

  test('on a terminal a finished bar becomes a line', () => {
    const text = shown('auto', { isTTY: true });
    assert.match(text, /abababababab {2}fetched {3}1kB\n/);
    assert.match(text, /warning: careful\\u001b\n/);
  });

  test('json is one event a line, and none only warns', () => {
    assert.deepEqual(
      shown('json')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      events,
    );
    assert.equal(shown('none'), 'warning: careful\\u001b\n');
  });

  test('bars are drawn at most ten times a second', async () => {
    let frames = 0;
    const stream = { isTTY: true, columns: 60, write: () => frames++ };
    const progress = createProgress({ mode: 'tty', stream, unattended: false, warnings: true });
    for (let done = 0; done < 1000; done++) {
      progress.onEvent({ type: done === 0 ? 'blob-start' : 'blob-progress', digest, total: 1000, done });
      if (done % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 25));
    }
    progress.finish();
    assert.ok(frames >= 1 && frames <= 4, `${frames} frames`);
  });
});

test('durations and speeds are short', () => {
  assert.equal(formatDuration(1), '1 s');
  assert.equal(formatDuration(200_000), '3 min 20 s');
  assert.equal(formatDuration(7_500_000), '2 h 5 min');
  assert.equal(formatSpeed({ bytesPerSecond: 85_300_000, remainingMs: 11_200 }), '85.3MB/s, 12 s left');
  assert.equal(formatSpeed({ bytesPerSecond: 0 }), '0B/s');
});

test('a registry that asks for patience is said to, and a quota when it is nearly used up', () => {
  assert.equal(
    plainLine({ type: 'slow-down', registry: 'r.example', delayMs: 2_000, concurrency: 3 }),
    'r.example asks to slow down: waiting 2 s, then at most 3 at once',
  );
  const quota = { type: 'rate-limit', registry: 'docker.io', limit: 200 } as const;
  assert.equal(plainLine({ ...quota, remaining: 150 }), undefined);
  assert.equal(plainLine({ ...quota, remaining: 9 }), 'docker.io allows 9 of 200 more requests for now');
});

test('the sum of all blobs is drawn below them, with speed and remaining time', () => {
  let drawn = '';
  const bars = createBars({ isTTY: true, columns: 100, write: (text) => (drawn += text) });
  bars.show({
    type: 'transfer-progress',
    direction: 'pull',
    total: 500_000_000,
    done: 100_000_000,
    bytesPerSecond: 40_000_000,
    remainingMs: 10_000,
  });
  bars.finish();
  assert.match(drawn, /total +pulling +\[=+> *\] 100MB\/500MB 40MB\/s, 10 s left/);
});

test('failures are described without a stack, causes in one line', () => {
  const cause = new Error('outer', { cause: new Error('inner') });
  const error = Object.assign(new Error('it broke', { cause }), { code: 'ERR_OCI_X', hint: 'do this' });
  assert.deepEqual(describeFailure(error), {
    code: 'ERR_OCI_X',
    message: 'it broke',
    hint: 'do this',
    cause: 'outer: inner',
  });
  assert.deepEqual(describeFailure(new TypeError('oops')), { code: 'ERR_OCI_INTERNAL', message: 'oops' });
});

test('errors of the system that nobody worded are given words', () => {
  const error = Object.assign(new Error("EACCES: permission denied, open '/x'"), {
    code: 'EACCES',
    syscall: 'open',
    path: '/x',
  });
  assert.deepEqual(describeFailure(error), {
    code: 'ERR_OCI_SYSTEM',
    message: '/x: permission denied',
    hint: 'choose a path that you may use, or ask as a user who may',
  });
  const unknown = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
  assert.equal(describeFailure(unknown).message, 'EIO: i/o error, read');
});

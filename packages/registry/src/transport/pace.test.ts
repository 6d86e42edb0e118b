import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OciEvent } from '@ocijs/image';
import { createPace, type Lane } from './pace.ts';
import { parseRateLimit, requestedPause } from './rate-limit.ts';

function headers(values: Readonly<Record<string, string>>): { header(name: string): string | undefined } {
  return { header: (name) => values[name] };
}

const answer = (status: number, values: Readonly<Record<string, string>> = {}) => ({
  status,
  ...headers(values),
});

describe('rate limit headers', () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, unknown])[] = [
    [
      { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
      { limit: 100, remaining: 76, windowMs: 21_600_000 },
    ],
    [
      { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '0', 'ratelimit-reset': '50' },
      { limit: 100, remaining: 0, windowMs: 60_000, resetMs: 50_000 },
    ],
    [{ ratelimit: 'limit=100, remaining=50, reset=5' }, { limit: 100, remaining: 50, resetMs: 5_000 }],
    [
      { ratelimit: '"default";r=7;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
      { remaining: 7, windowMs: 60_000, resetMs: 30_000 },
    ],
    [{ 'x-ratelimit-remaining': '3' }, { remaining: 3 }],
    [{ 'ratelimit-limit': 'many', 'ratelimit-remaining': '-1' }, undefined],
    [{ 'ratelimit-remaining': '9'.repeat(400) }, undefined],
    [{}, undefined],
  ];
  for (const [given, expected] of cases)
    test(JSON.stringify(given).slice(0, 100), () => {
      assert.deepEqual(parseRateLimit(headers(given)), expected);
    });

  test('a date of reset is counted from now', () => {
    const date = Math.floor(Date.now() / 1000) + 100;
    const { resetMs = 0 } = parseRateLimit(headers({ 'x-ratelimit-reset': String(date) })) ?? {};
    assert.ok(resetMs > 90_000 && resetMs <= 100_000);
  });

  test('Retry-After goes before the reset, which counts only when nothing is left', () => {
    assert.equal(requestedPause(headers({ 'retry-after': '2', 'ratelimit-reset': '50' })), 2_000);
    const left = { 'ratelimit-remaining': '1', 'ratelimit-reset': '50' };
    assert.equal(requestedPause(headers(left)), undefined);
    assert.equal(requestedPause(headers({ ...left, 'ratelimit-remaining': '0' })), 50_000);
    const date = new Date(Date.now() + 20_000).toUTCString();
    const pause = requestedPause(headers({ 'retry-after': date })) ?? 0;
    assert.ok(pause > 15_000 && pause <= 20_000);
  });
});

describe('pace', () => {
  test('lets in as many as it may, and those who wait in their order', async () => {
    const pace = createPace({ registry: 'r', concurrency: 2 });
    const [first, second] = [await pace.enter(), await pace.enter()];
    assert.equal(pace.tryEnter(), undefined);
    const order: string[] = [];
    const wait = async (name: string): Promise<Lane> => {
      const lane = await pace.enter();
      order.push(name);
      return lane;
    };
    const third = wait('third');
    const fourth = wait('fourth');
    first.release();
    first.release();
    await third;
    assert.deepEqual(order, ['third']);
    assert.equal(pace.tryEnter(), undefined, 'others wait');
    second.release();
    await fourth;
    assert.deepEqual(order, ['third', 'fourth']);
  });

  test('backs off once for all that were under way, and grows again', async () => {
    const events: OciEvent[] = [];
    const pace = createPace({ registry: 'r', concurrency: 6, onEvent: (event) => events.push(event) });
    const lanes = await Promise.all(Array.from({ length: 6 }, () => pace.enter()));
    for (let i = 0; i < 6; i++) pace.answered(answer(429, { 'retry-after': '0' }));
    assert.equal(pace.limit, 3);
    assert.equal(lanes[0]?.isExcess, true);
    assert.equal(events[0]?.type, 'slow-down');
    for (const lane of lanes) lane.release();
    for (let i = 0; i < 40; i++) pace.answered(answer(200));
    assert.equal(pace.limit, 6);
  });

  test('a pause keeps everybody waiting, and ends', async () => {
    const pace = createPace({ registry: 'r', concurrency: 4 });
    const started = performance.now();
    pace.answered(answer(503, { 'retry-after': '1' }));
    pace.answered(answer(503, { 'retry-after': '1' }));
    assert.equal(pace.tryEnter(), undefined);
    const lane = await pace.enter();
    assert.ok(performance.now() - started >= 990);
    lane.release();
  });

  test('an abort ends the waiting, and takes no lane', async () => {
    const pace = createPace({ registry: 'r', concurrency: 1 });
    const lane = await pace.enter();
    const controller = new AbortController();
    const waiting = pace.enter(controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, { message: 'enough' });
    lane.release();
    (await pace.enter()).release();
  });

  test('says what the registry says of its limits, when it changes', () => {
    const events: OciEvent[] = [];
    const pace = createPace({
      registry: 'docker.io',
      concurrency: 4,
      onEvent: (event) => events.push(event),
    });
    const said = (remaining: number) =>
      answer(200, { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': `${remaining};w=21600` });
    for (const remaining of [76, 76, 75]) pace.answered(said(remaining));
    assert.deepEqual(
      events.map((event) => (event.type === 'rate-limit' ? event.remaining : event.type)),
      [76, 75],
    );
  });
});

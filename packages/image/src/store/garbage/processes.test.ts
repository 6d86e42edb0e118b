import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkStore } from '../check/check-store.ts';
import { openStore } from '../open.ts';
import { scratch } from '../scratch.testkit.ts';
import { collectGarbage } from './collect-garbage.ts';

const contender = fileURLToPath(new URL('./contender.testkit.ts', import.meta.url));
const skip = process.platform === 'linux' ? false : 'needs /proc to see which processes run';

const WRITERS = 11;
const IMAGES_EACH = 5;
const COLLECTORS = 3;
/** More than any process here lives to see. */
const WITHOUT_END = 1_000_000;

type Role = 'writer' | 'collector';

interface Contender {
  readonly child: ChildProcess;
  /** Resolves after the first round, or with the end of the process. */
  readonly underway: Promise<unknown>;
  /** What each round counted, when the process has ended. */
  readonly ended: Promise<{ readonly status: number | null; readonly stderr: string; readonly sum: number }>;
}

function start(directory: string, role: Role, rounds = WITHOUT_END): Contender {
  const child = spawn(process.execPath, [contender, directory, role, String(rounds)]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const ended = closed.then(([status]) => ({
    status,
    stderr,
    sum: stdout.split('\n').reduce((sum, line) => sum + Number(line), 0),
  }));
  return { child, underway: Promise.race([once(child.stdout, 'data'), closed]), ended };
}

test('sixteen processes that bring, name, remove and collect at once lose nothing that is named', {
  skip,
}, async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'store');
  const collectors = Array.from({ length: COLLECTORS }, () => start(directory, 'collector'));
  const victims = [start(directory, 'writer'), start(directory, 'collector')];
  const writers = Array.from({ length: WRITERS }, () => start(directory, 'writer', IMAGES_EACH));
  await Promise.all([...collectors, ...victims].map(({ underway }) => underway));
  for (const { child } of victims) {
    child.kill('SIGKILL');
    await sleep(Math.random() * 50);
  }
  const wrote = await Promise.all(writers.map(({ ended }) => ended));
  for (const { child } of collectors) child.stdin?.end();
  const collected = await Promise.all(collectors.map(({ ended }) => ended));
  await Promise.all(victims.map(({ ended }) => ended));
  for (const { status, stderr } of [...wrote, ...collected]) assert.deepEqual([status, stderr], [0, '']);
  const total = (outcomes: readonly { readonly sum: number }[]): number =>
    outcomes.reduce((all, { sum }) => all + sum, 0);
  assert.equal(total(wrote), WRITERS * IMAGES_EACH);
  assert.ok(total(collected) > 0, 'nothing was collected');

  await using store = await openStore(directory);
  assert.deepEqual((await checkStore(store)).problems, []);
  await collectGarbage(store, { graceMs: 0 });
  const { blobs, leftovers } = await collectGarbage(store, { graceMs: 0 });
  assert.ok(blobs.every(({ kept }) => kept));
  assert.deepEqual(leftovers, []);
  for (const { name } of await store.list()) await store.image(name);
});

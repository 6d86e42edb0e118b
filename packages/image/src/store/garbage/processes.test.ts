import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
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

interface Outcome {
  readonly rounds: number;
  readonly status: number | null;
  readonly stderr: string;
}

function start(directory: string, role: 'writer' | 'collector', seconds: number) {
  const child = spawn(process.execPath, [contender, directory, role, String(seconds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (texts.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (texts.stderr += data.toString()));
  const ended = async (): Promise<Outcome> => {
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, stderr: texts.stderr, rounds: Number(texts.stdout.split(' ')[1] ?? 0) };
  };
  return { child, ended: ended() };
}

test('sixteen processes that bring, name, remove and collect at once lose nothing that is named', {
  skip,
}, async () => {
  await using place = await scratch();
  const directory = join(place.directory, 'store');
  const writers = Array.from({ length: 11 }, () => start(directory, 'writer', 4));
  const collectors = Array.from({ length: 3 }, () => start(directory, 'collector', 5));
  const victims = [start(directory, 'writer', 60), start(directory, 'collector', 60)];
  await sleep(3000);
  for (const { child } of victims) {
    child.kill('SIGKILL');
    await sleep(Math.random() * 50);
  }
  const wrote = await Promise.all(writers.map(({ ended }) => ended));
  const collected = await Promise.all(collectors.map(({ ended }) => ended));
  await Promise.all(victims.map(({ ended }) => ended));
  for (const { status, stderr } of [...wrote, ...collected]) assert.deepEqual([status, stderr], [0, '']);
  const total = (outcomes: readonly Outcome[]): number =>
    outcomes.reduce((sum, { rounds }) => sum + rounds, 0);
  assert.ok(
    total(wrote) > 20 && total(collected) > 0,
    `${total(wrote)} images, ${total(collected)} collected`,
  );

  await using store = await openStore(directory);
  assert.deepEqual((await checkStore(store)).problems, []);
  await collectGarbage(store, { graceMs: 0 });
  const { blobs, leftovers } = await collectGarbage(store, { graceMs: 0 });
  assert.ok(blobs.every(({ kept }) => kept));
  assert.deepEqual(leftovers, []);
  for (const { name } of await store.list()) await store.image(name);
});

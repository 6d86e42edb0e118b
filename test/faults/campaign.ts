import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkStore, createLayout, isOciError, openStore, type Store } from '@ocijs/image';
import { pull, push, type RegistryOptions } from '@ocijs/registry';
import { seeded, startTestRegistry, type TestRegistry } from '@ocijs/registry/testing';
import { temporaryDirectory } from '../kit/temporary.ts';
import { type Cargo, writeCargo } from './images.ts';

/** Longer than any voyage takes on a busy machine: who reaches it hangs. */
const HANGS_AFTER_MS = 120_000;

/** How often voyages ended in which way. */
export interface CampaignReport {
  /** `right` for the right digest, else the error's code. */
  readonly endings: ReadonlyMap<string, number>;
  /** Faults that happened, by kind. */
  readonly faults: ReadonlyMap<string, number>;
  readonly requests: number;
  /** The longest voyage, in milliseconds. */
  readonly longestMs: number;
}

/** Which voyages to make. */
export interface CampaignOptions {
  readonly pulls: number;
  readonly pushes: number;
  /** Seed of the first; each further one has the next. */
  readonly firstSeed?: number;
  readonly onVoyage?: (line: string) => void;
}

/**
 * Pulls and pushes through a registry with seeded faults. Throws an AssertionError that names the seed unless each of them
 * ends with the right digest or a coded error, leaves every store sound, and works as soon as nothing goes wrong any more;
 * and at the end, when a file is open that was not before.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  await using directory = await temporaryDirectory();
  await using source = await createLayout(join(directory.path, 'source'));
  const cargo = await writeCargo(source);
  const tally = {
    endings: new Map<string, number>(),
    faults: new Map<string, number>(),
    requests: 0,
    longestMs: 0,
  };
  const { pulls, pushes, firstSeed = 1, onVoyage } = options;
  const voyages = [
    ...Array.from({ length: pulls }, (_, place) => ({ kind: 'pull' as const, seed: firstSeed + place })),
    ...Array.from({ length: pushes }, (_, place) => ({ kind: 'push' as const, seed: firstSeed + place })),
  ];

  const sail = async (voyage: (typeof voyages)[number]): Promise<void> => {
    const path = join(directory.path, `${voyage.kind}-${voyage.seed}`);
    const started = performance.now();
    const { ending, registry } = await withSeed(voyage, () =>
      (voyage.kind === 'pull' ? pullThroughFaults : pushThroughFaults)({ ...voyage, source, cargo, path }),
    );
    tally.longestMs = Math.max(tally.longestMs, performance.now() - started);
    tally.requests += registry.requests.length;
    count(tally.endings, ending);
    for (const { fault } of registry.requests) if (fault !== undefined) count(tally.faults, fault.kind);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    onVoyage?.(`${voyage.kind} ${voyage.seed}: ${ending} after ${seconds} s`);
  };

  // What is loaded and opened once is open before the count begins.
  await sail({ kind: 'pull', seed: 0 });
  await sail({ kind: 'push', seed: 0 });
  const before = openFiles();
  for (const voyage of voyages) await sail(voyage);
  await assertNoMoreThan(before);
  return tally;
}

/** What one voyage works with. */
interface Voyage {
  readonly seed: number;
  readonly source: Store;
  readonly cargo: readonly [Cargo, ...Cargo[]];
  /** For a store of its own. */
  readonly path: string;
}

interface Arrival {
  readonly ending: string;
  readonly registry: TestRegistry;
}

async function pullThroughFaults({ seed, source, cargo, path }: Voyage): Promise<Arrival> {
  const { tag, descriptor, allPlatforms } = pick(cargo, seed);
  await using registry = await registryFor(seed, source);
  await using store = await openStore(path);
  const name = `${registry.host}/team/app:${tag}`;
  const go = (): Promise<string> =>
    endingOf(async (options) => {
      const { report } = await pull(name, { store, allPlatforms, ...options });
      return report.digest;
    }, descriptor.digest);

  const ending = await go();
  const after = await checkStore(store);
  assert.deepEqual(after.problems, []);
  if (ending !== 'right')
    assert.equal(await store.resolve(name), undefined, 'a failed pull gave the image its name');
  registry.plan = undefined;
  assert.equal(await go(), 'right', 'without faults');
  assert.deepEqual((await checkStore(store)).problems, []);
  return { ending, registry };
}

async function pushThroughFaults({ seed, source, cargo, path }: Voyage): Promise<Arrival> {
  const { tag, descriptor } = pick(cargo, seed);
  await using store = await createLayout(path);
  await using registry = await registryFor(seed, store);
  const name = `team/copy:${tag}`;
  const go = (): Promise<string> =>
    endingOf(async (options) => {
      const { digest } = await push(descriptor, `${registry.host}/${name}`, { store: source, ...options });
      return digest;
    }, descriptor.digest);

  const ending = await go();
  assert.deepEqual((await checkStore(store)).problems, []);
  const tagged = (await store.resolve(name))?.digest;
  // An answer may be lost: then the tag is there and the client cannot know it.
  if (tagged !== undefined || ending === 'right') assert.equal(tagged, descriptor.digest);
  registry.plan = undefined;
  assert.equal(await go(), 'right', 'without faults');
  assert.deepEqual((await checkStore(store)).problems, []);
  return { ending, registry };
}

const account = { username: 'u', password: 'p' };

/** Every seed has its own share of faults; a third of them each wants no, Basic and bearer credentials. */
function registryFor(seed: number, store: Store): Promise<TestRegistry> {
  const auth = ([undefined, { type: 'basic' }, { type: 'bearer' }] as const)[seed % 3];
  return startTestRegistry({
    store,
    ...(auth === undefined ? {} : { auth: { ...auth, ...account } }),
    plan: seeded({
      seed,
      rate: 0.1 + (seed % 7) * 0.1,
      longestPauseMs: 50,
      leastBytesPerSecond: 2_000_000,
      ...(seed % 2 === 0 ? { harmlessFrom: 4 } : {}),
    }),
  });
}

async function endingOf(
  voyage: (options: RegistryOptions) => Promise<string>,
  expected: string,
): Promise<string> {
  const signal = AbortSignal.timeout(HANGS_AFTER_MS);
  const env = { HOME: '/nonexistent' };
  try {
    const digest = await voyage({ env, credentials: account, retryDelayMs: 1, signal });
    assert.equal(digest, expected);
    return 'right';
  } catch (error) {
    assert.ok(!signal.aborted, 'hangs');
    if (!isOciError(error)) throw error;
    return error.code;
  }
}

async function withSeed<T>(
  { kind, seed }: { readonly kind: string; readonly seed: number },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${kind} with seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The last, which is large, is on every 25th voyage. */
function pick(cargo: readonly [Cargo, ...Cargo[]], seed: number): Cargo {
  const place = seed % 25 === 5 ? cargo.length - 1 : seed % (cargo.length - 1);
  return cargo[place] ?? cargo[0];
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** What this process has open, where the system tells. */
function openFiles(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // the descriptor by which the directory itself is read
    }
  });
}

/** Sockets are closed a little later than their owners: waits for that, but not for ever. */
async function assertNoMoreThan(before: readonly string[]): Promise<void> {
  const deadline = performance.now() + 20_000;
  let now = openFiles();
  for (; now.length > before.length && performance.now() < deadline; now = openFiles()) await sleep(50);
  assert.ok(now.length <= before.length, `open now: ${now.join(', ')}; before: ${before.join(', ')}`);
}

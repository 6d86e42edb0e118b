/**
 * Makes, uses and deletes many containers at once while their callers are killed at random, and counts what is left:
 * `npm run soak:runtime [-- --containers 2000 --parallel 50 --seed 1]`. Needs root and busybox; takes minutes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultSpec } from '@ocijs/bundle/spec';
import { launch, remove } from '@ocijs/runtime';
import { temporaryDirectory } from '../kit/temporary.ts';
import { countRemains, type Remains } from './leaks.ts';

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '2000' },
    parallel: { type: 'string', default: '50' },
    callers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
});
const [total, parallel, callers] = [values.containers, values.parallel, values.callers].map(Number) as [
  number,
  number,
  number,
];

/** Park and Miller's generator: the same seed kills at the same pace. */
let state = Number(values.seed);
function random(): number {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
}

await using temporary = await temporaryDirectory();
const directory = temporary.path;
const root = `${directory}/state`;
const prefix = `soak${process.pid}-`;
const mark = `86400.${process.pid}`;

function makeBundle(): void {
  mkdirSync(`${directory}/rootfs/bin`, { recursive: true });
  for (const name of ['dev', 'proc', 'sys']) mkdirSync(`${directory}/rootfs/${name}`);
  copyFileSync('/usr/bin/busybox', `${directory}/rootfs/bin/busybox`);
  for (const name of ['sleep', 'true']) symlinkSync('busybox', `${directory}/rootfs/bin/${name}`);
  const spec = defaultSpec({ rootless: false });
  const linux = { ...spec.linux, resources: { ...spec.linux?.resources, pids: { limit: 20 } } };
  const process = {
    cwd: '/',
    user: { uid: 0, gid: 0 },
    ...spec.process,
    terminal: false,
    args: ['/bin/sleep', mark],
  };
  writeFileSync(`${directory}/config.json`, JSON.stringify({ ...spec, process, linux }));
}

interface Caller {
  readonly child: ChildProcess;
  readonly ids: Set<string>;
}

const counts = { finished: 0, killed: 0, interrupted: 0, refused: new Map<string, number>() };
let next = 0;

function nextId(): string | undefined {
  next += 1;
  return next > total ? undefined : `${prefix}${next}`;
}

function give(caller: Caller): boolean {
  const id = nextId();
  if (id === undefined) return false;
  caller.ids.add(id);
  caller.child.stdin?.write(`${id}\n`);
  return true;
}

/** Runs one caller until it is killed or has nothing to do, then deletes with force what it was at. */
async function runCaller(): Promise<void> {
  const path = fileURLToPath(new URL('./caller.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', path, directory, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const caller: Caller = { child, ids: new Set() };
  const ended = once(child, 'exit');
  child.stdin?.on('error', () => undefined);
  while (caller.ids.size < parallel / callers && give(caller));
  const delay = 10_000 * random() ** 2;
  let end: NodeJS.Timeout | undefined;
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
  lines.on('line', (line) => {
    if (line === 'ready') {
      end = setTimeout(() => child.kill('SIGKILL'), delay);
      return;
    }
    const [id = '', code] = line.split(' ');
    caller.ids.delete(id);
    counts.finished += 1;
    const reason = line.slice(id.length + 1).replaceAll(id, 'ID');
    if (code !== undefined) counts.refused.set(reason, (counts.refused.get(reason) ?? 0) + 1);
    if (!give(caller) && caller.ids.size === 0) child.stdin?.end();
  });
  const [, signal] = await ended;
  clearTimeout(end);
  if (signal === 'SIGKILL') counts.killed += 1;
  counts.interrupted += caller.ids.size;
  await Promise.all([...caller.ids].map((id) => remove(id, { root, force: true })));
}

/** The resident memory of this program while it launches containers, in MiB, at the first and at the last. */
async function residentMemory(): Promise<readonly [number, number]> {
  const samples: number[] = [];
  for (let index = 0; index < 300; index += 1) {
    await using container = await launch(directory, {
      id: `${prefix}m${index}`,
      root,
      args: ['/bin/true'],
      stdio: 'ignore',
    });
    await container.wait();
    // Without what was not collected yet, where the collector can be called.
    globalThis.gc?.();
    samples.push(process.memoryUsage().rss / 2 ** 20);
  }
  return [samples[99] ?? 0, samples[299] ?? 0];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

makeBundle();
await residentMemory();
const where = { prefix, mark, directory, root };
const before = countRemains(where);
const started = performance.now();
await Promise.all(
  Array.from({ length: callers }, async () => {
    while (next < total) await runCaller();
  }),
);
const seconds = (performance.now() - started) / 1000;
const memory = await residentMemory();
// A killed process may take a moment to be gone.
let after = countRemains(where);
for (let tries = 0; tries < 100 && JSON.stringify(after) !== JSON.stringify(before); tries += 1) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  after = countRemains(where);
}
say(`${total} containers, ${parallel} at a time: ${seconds.toFixed(1)} s`);
say(
  `callers killed: ${counts.killed}; containers they were at: ${counts.interrupted}; others: ${counts.finished}`,
);
for (const [reason, count] of counts.refused) say(`  refused ${count} time(s): ${reason}`);
for (const name of Object.keys(before) as (keyof Remains)[]) {
  say(`${name.padEnd(12)} before ${before[name]}, after ${after[name]}`);
}
say(
  `memory of a resident caller: ${memory[0].toFixed(1)} MiB after 100 launches, ${memory[1].toFixed(1)} after 300`,
);
const leaks = (Object.keys(before) as (keyof Remains)[]).filter((name) => after[name] > before[name]);
if (leaks.length > 0) {
  say(`leaked: ${leaks.join(', ')}`);
  process.exitCode = 1;
}

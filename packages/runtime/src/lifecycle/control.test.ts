import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Container, launch } from '../container.ts';
import { readProcessStat } from '../process/stat.ts';
import { readRecord } from '../state/store.ts';
import {
  busyboxBundle,
  cannotRun,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { processes } from './processes.ts';

const skip = cannotRunAsRoot();

async function started(bundle: TestBundle): Promise<Container> {
  return await launch(bundle.directory, { id: testId(), root: bundle.root, stdio: 'ignore' });
}

/** A file of the container's cgroup, in whichever hierarchy has it. */
function groupFile(bundle: TestBundle, id: string, ...names: string[]): string {
  const directories = readRecord(bundle.root, id)?.cgroup?.directories ?? [];
  const paths = directories.flatMap(({ path }) => names.map((name) => join(path, name)));
  const found = paths.find((path) => existsSync(path));
  return found === undefined ? 'missing' : readFileSync(found, 'utf8').trim();
}

test('a paused container stands still until it is resumed', { skip }, async () => {
  using bundle = busyboxBundle('while :; do :; done');
  {
    await using container = await started(bundle);
    await container.pause();
    assert.equal((await container.state()).status, 'paused');
    const ticks = (): string => readFileSync(`/proc/${container.pid}/stat`, 'utf8').split(' ')[13] as string;
    const before = ticks();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(ticks(), before);
    await assert.rejects(container.pause(), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
    await assert.rejects(container.exec({ args: ['true'] }), { message: /paused container/ });
    await assert.rejects(container.delete(), { code: 'ERR_OCI_CONTAINER_STATE' });
    await container.resume();
    await assert.rejects(container.resume(), { code: 'ERR_OCI_CONTAINER_STATE', message: /not paused/ });
    assert.equal((await container.state()).status, 'running');
    await container.pause();
    await container.kill('KILL');
    assert.deepEqual(await container.wait(), { exitCode: 137, signal: 'SIGKILL' });
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('a paused container is deleted with force', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  {
    await using container = await started(bundle);
    await container.pause();
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('a process that joins a paused container waits for it', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  await using container = await started(bundle);
  await container.pause();
  const joining = container.exec({ args: ['true'], stdio: 'ignore', ignorePaused: true });
  const early = await Promise.race([joining, new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))]);
  assert.equal(early, 'waiting');
  await container.resume();
  await using process = await joining;
  assert.deepEqual(await process.wait(), { exitCode: 0 });
});

test('limits are changed while a container runs', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  bundle.change((spec) => {
    spec.linux.resources = { memory: { limit: 64 << 20 }, cpu: { period: 50_000, quota: 25_000 } };
  });
  await using container = await started(bundle);
  const { id } = container;
  const memory = (): string => groupFile(bundle, id, 'memory.limit_in_bytes', 'memory.max');
  const cpu = (): string =>
    groupFile(bundle, id, 'cpu.max') === 'missing'
      ? `${groupFile(bundle, id, 'cpu.cfs_quota_us')} ${groupFile(bundle, id, 'cpu.cfs_period_us')}`
      : groupFile(bundle, id, 'cpu.max');
  assert.deepEqual([memory(), cpu()], [String(64 << 20), '25000 50000']);
  // Up and down again, with swap: the kernel wants the two limits in another order each time.
  for (const size of [256, 32, 128]) {
    await container.update({ memory: { limit: size << 20, swap: (size + 16) << 20 }, pids: { limit: size } });
    assert.deepEqual([memory(), groupFile(bundle, id, 'pids.max')], [String(size << 20), String(size)]);
  }
  await container.update({ cpu: { quota: 30_000 } });
  assert.equal(cpu(), '30000 50000');
  await container.update({ cpu: { period: 100_000, quota: 90_000 } });
  assert.equal(cpu(), '90000 100000');
  await container.update({ memory: { limit: -1 }, pids: { limit: -1 } });
  assert.ok(memory() === 'max' || Number(memory()) > 2 ** 60);
  assert.equal(readRecord(bundle.root, id)?.spec.linux?.resources?.cpu?.quota, 90_000);
  await assert.rejects(container.update({ memory: { limit: -2 } }), { code: 'ERR_OCI_CGROUP_INVALID' });
  await assert.rejects(container.update({ cpu: { cpus: '4000' } }), { code: 'ERR_OCI_CGROUP_DENIED' });
});

test('an idle group stays idle when it is asked to again, and has its weight back afterwards', {
  skip,
}, async (context) => {
  using bundle = busyboxBundle('exec sleep 1000');
  bundle.change((spec) => {
    spec.linux.resources = { cpu: { shares: 100 } };
  });
  await using container = await started(bundle);
  const weight = (): string[] =>
    ['cpu.idle', 'cpu.shares'].map((file) => groupFile(bundle, container.id, file));
  const before = weight();
  if (before.includes('missing')) return context.skip('no cgroup v1 hierarchy for processors');
  assert.deepEqual(before, ['0', '100']);
  for (const idle of [1, 1, 0]) await container.update({ cpu: { idle } });
  assert.deepEqual(weight(), before);
});

test('usage is measured', { skip }, async () => {
  using bundle = busyboxBundle('sleep 1000 & exec sleep 1000');
  bundle.change((spec) => {
    spec.linux.resources = { pids: { limit: 17 } };
  });
  await using container = await started(bundle);
  while (processes(container.id, { root: bundle.root }).length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { pids, memory, cpu } = await container.stats();
  assert.deepEqual(pids, { current: 2, limit: 17 });
  assert.ok(Number(memory.usage.usage) > 0);
  assert.ok(Number(cpu.usage.total) > 0);
  assert.deepEqual(processes(container.id, { root: bundle.root }).includes(container.pid), true);
});

test('events are measurements and kills for want of memory, until the end', {
  skip,
  timeout: 240_000,
}, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  bundle.change((spec) => {
    spec.linux.resources = { memory: { limit: 16 << 20, swap: 16 << 20 } };
  });
  await using container = await started(bundle);
  const seen: string[] = [];
  const hungry = { args: ['sh', '-c', 'busybox tail -c 100m /dev/zero'], stdio: 'ignore' } as const;
  let greedy: Promise<unknown> | undefined;
  for await (const event of container.events({ interval: 20 })) {
    seen.push(event.type);
    if (event.type === 'stats') {
      greedy ??= container.exec(hungry).then((process) => process.wait());
    } else {
      await container.kill('KILL');
    }
  }
  await greedy;
  assert.deepEqual([...new Set(seen)].sort(), ['oom', 'stats']);
});

test('watching events can be aborted', { skip: cannotRun() || skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  await using container = await started(bundle);
  const watch = async (): Promise<void> => {
    const signal = AbortSignal.timeout(50);
    for await (const _ of container.events({ signal })) assert.fail('nothing happens in this time');
  };
  await assert.rejects(watch(), { name: 'TimeoutError' });
  const state = (): string | undefined => readProcessStat(container.pid)?.state;
  // On a slow machine it still loads its program.
  while (/[RD]/.test(state() ?? '')) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(state(), 'S');
});

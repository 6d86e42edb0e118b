import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAlive, readProcessStat } from '../process/stat.ts';
import { readRecord } from '../state/store.ts';
import {
  busyboxBundle,
  cannotRun,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { create } from './create.ts';
import { kill } from './kill.ts';
import { remove } from './remove.ts';
import { run } from './run.ts';
import { start } from './start.ts';
import { list, state } from './state.ts';

const skip = cannotRun();
const skipWithoutGroups = cannotRunAsRoot();
const stdio = ['ignore', 'ignore', 'ignore'] as const;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'took too long');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function assertNothingLeft(bundle: TestBundle): void {
  assert.deepEqual(leftovers(bundle), []);
}

test('a container is created, started, killed and deleted', { skip }, async () => {
  using bundle = busyboxBundle('echo hi >/tmp/started; exec sleep 100');
  bundle.change((spec) => {
    if (spec.root) spec.root.readonly = false;
  });
  const [id, { root, directory }] = [testId(), bundle];
  const pidFile = join(directory, 'pid');
  writeFileSync(join(directory, 'target'), 'precious');
  symlinkSync('target', pidFile);

  const created = await create(id, { bundle: directory, root, pidFile, stdio });
  assert.equal(created.status, 'created');
  assert.equal(readFileSync(pidFile, 'utf8'), String(created.pid));
  assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'precious');
  assert.equal(existsSync(join(directory, 'rootfs/tmp/started')), false);
  assert.deepEqual(list({ root }), [created]);
  await assert.rejects(create(id, { bundle: directory, root, stdio }), { code: 'ERR_OCI_CONTAINER_EXISTS' });

  await start(id, { root });
  await until(() => existsSync(join(directory, 'rootfs/tmp/started')));
  assert.equal(state(id, { root }).status, 'running');
  await assert.rejects(start(id, { root }), { code: 'ERR_OCI_CONTAINER_STATE' });
  await assert.rejects(remove(id, { root }), {
    code: 'ERR_OCI_CONTAINER_STATE',
    message: `cannot delete container ${id} that is not stopped: running`,
  });

  kill(id, 'KILL', { root });
  await until(() => state(id, { root }).status === 'stopped');
  assert.equal(state(id, { root }).pid, 0);
  assert.throws(() => kill(id, 'TERM', { root }), {
    code: 'ERR_OCI_CONTAINER_NOT_RUNNING',
    message: /container not running/,
  });
  await assert.rejects(start(id, { root }), { code: 'ERR_OCI_CONTAINER_STATE' });
  await remove(id, { root });
  assert.throws(() => state(id, { root }), { code: 'ERR_OCI_CONTAINER_NOT_FOUND' });
  await assert.rejects(remove(id, { root }), { code: 'ERR_OCI_CONTAINER_NOT_FOUND' });
  await remove(id, { root, force: true });
  assertNothingLeft(bundle);
});

test('a created container can be deleted, and is killed by it', { skip }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const [id, { root, directory }] = [testId(), bundle];
  const { pid } = await create(id, { bundle: directory, root, stdio });
  await remove(id, { root });
  assert.ok([undefined, 'Z'].includes(readProcessStat(pid)?.state));
  assertNothingLeft(bundle);
});

test('a created container ends by the signals that end any process, and by no others', { skip }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const [id, { root, directory }] = [testId(), bundle];
  for (const signal of ['TERM', 'USR1', 'INT']) {
    const { pid } = await create(id, { bundle: directory, root, stdio });
    for (const harmless of ['CHLD', 'CONT', 'URG', 'WINCH']) kill(id, harmless, { root });
    // They are read in the order of their numbers, so that this one is not yet what ended it.
    await until(() => /^ShdPnd:\t0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
    assert.equal(state(id, { root }).status, 'created');
    kill(id, signal, { root });
    await until(() => state(id, { root }).status === 'stopped');
    assert.throws(() => kill(id, signal, { root }), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
    await remove(id, { root });
  }
  assertNothingLeft(bundle);
});

test('run waits, gives the exit code and deletes', { skip }, async () => {
  using bundle = busyboxBundle('exit 42');
  assert.deepEqual(await run(testId(), { bundle: bundle.directory, root: bundle.root, stdio }), {
    exitCode: 42,
  });
  bundle.change((spec) => {
    spec.process.args = ['sh', '-c', 'kill -9 $$; sleep 5'];
  });
  // The first process of a pid namespace cannot be killed from inside: the sleep is its second command.
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 500);
  await assert.rejects(
    run(testId(), { bundle: bundle.directory, root: bundle.root, stdio, signal: controller.signal }),
    { message: 'enough' },
  );
  assertNothingLeft(bundle);
});

test('a container killed by a signal says which', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 100');
  const [id, { root, directory }] = [testId(), bundle];
  const ended = run(id, { bundle: directory, root, stdio, onStarted: () => kill(id, 9, { root }) });
  assert.deepEqual(await ended, { exitCode: 137, signal: 'SIGKILL' });
  assertNothingLeft(bundle);
});

test('with a shared pid namespace, SIGKILL and deleting end all processes', {
  skip: skipWithoutGroups,
}, async () => {
  using bundle = busyboxBundle('sleep 1000 & sleep 1000 & exec sleep 1000');
  bundle.change((spec) => {
    spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
  });
  const [id, { root, directory }] = [testId(), bundle];
  await create(id, { bundle: directory, root, stdio });
  await start(id, { root });
  const record = readRecord(root, id);
  const group = record?.cgroup?.directories[0]?.path as string;
  const pids = (): number[] =>
    readFileSync(`${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  await until(() => pids().length === 3);
  const members = pids().map((pid) => readProcessStat(pid));
  kill(id, 'KILL', { root });
  await until(() => members.every((member) => member === undefined || !isAlive(member)));
  await remove(id, { root });
  assertNothingLeft(bundle);
});

test('with a shared pid namespace, SIGKILL ends what the first process left', {
  skip: skipWithoutGroups,
}, async () => {
  using bundle = busyboxBundle('sleep 1000 & sleep 1000 & exec true');
  bundle.change((spec) => {
    spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
  });
  const [id, { root, directory }] = [testId(), bundle];
  await create(id, { bundle: directory, root, stdio });
  await start(id, { root });
  await until(() => state(id, { root }).status === 'stopped');
  const group = readRecord(root, id)?.cgroup?.directories[0]?.path as string;
  const pids = (): number[] =>
    readFileSync(`${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  const members = pids().map((pid) => readProcessStat(pid));
  assert.ok(members.length > 0);
  assert.throws(() => kill(id, 'TERM', { root }), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
  kill(id, 'KILL', { root });
  await until(() => members.every((member) => member === undefined || !isAlive(member)));
  await until(() => pids().length === 0);
  assert.throws(() => kill(id, 'KILL', { root }), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
  await remove(id, { root });
  assertNothingLeft(bundle);
});

test('a configuration that cannot be run has no effect', { skip }, async () => {
  using bundle = busyboxBundle('true');
  bundle.change((spec) => {
    spec.ociVersion = '2.0.0';
  });
  const { root, directory } = bundle;
  await assert.rejects(create(testId(), { bundle: directory, root, stdio }), {
    code: 'ERR_OCI_SPEC_UNSUPPORTED',
  });
  await assert.rejects(create('../x', { bundle: directory, root, stdio }), {
    code: 'ERR_OCI_CONTAINER_ID_INVALID',
  });
  await assert.rejects(create(testId(), { bundle: join(directory, 'none'), root, stdio }), {
    code: 'ERR_OCI_RUNTIME_BUNDLE_INVALID',
  });
  assert.equal(existsSync(root), false);
});

test('a command that is not there fails the creation, and nothing is left', { skip }, async () => {
  using bundle = busyboxBundle('true');
  const { root, directory } = bundle;
  bundle.change((spec) => {
    spec.process.args = ['no-such-command'];
  });
  const pidFile = join(directory, 'pid');
  await assert.rejects(create(testId(), { bundle: directory, root, stdio, pidFile }), {
    code: 'ERR_OCI_EXEC_NOT_FOUND',
    message: /executable file not found in \$PATH/,
  });
  bundle.change((spec) => {
    spec.process.args = ['/etc/passwd'];
  });
  await assert.rejects(create(testId(), { bundle: directory, root, stdio, pidFile }), {
    code: 'ERR_OCI_EXEC_DENIED',
    message: /permission denied/,
  });
  assert.equal(existsSync(pidFile), false);
  assertNothingLeft(bundle);
});

test('hooks run at their times with the state', { skip }, async () => {
  using bundle = busyboxBundle('true');
  const [id, { root, directory }] = [testId(), bundle];
  const hook = (name: string): { path: string; args: string[] }[] => [
    {
      path: '/bin/sh',
      args: ['sh', '-c', `echo ${name} $(cat | tr -d ' ' | grep -o '"status":"[a-z]*"') >>hooks`],
    },
  ];
  bundle.change((spec) => {
    spec.hooks = {
      prestart: hook('prestart'),
      createRuntime: hook('createRuntime'),
      poststart: hook('poststart'),
      poststop: hook('poststop'),
    };
    for (const list of Object.values(spec.hooks)) list[0].env = ['PATH=/usr/bin:/bin'];
  });
  await run(id, { bundle: directory, root, stdio });
  assert.deepEqual(readFileSync(join(directory, 'hooks'), 'utf8').trim().split('\n'), [
    'prestart "status":"created"',
    'createRuntime "status":"created"',
    'poststart "status":"running"',
    'poststop "status":"stopped"',
  ]);
});

test('a failing hook ends the container', { skip }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const { root, directory } = bundle;
  for (const name of ['createRuntime', 'poststart'] as const) {
    bundle.change((spec) => {
      spec.hooks = { [name]: [{ path: '/bin/false' }] };
    });
    await assert.rejects(run(testId(), { bundle: directory, root, stdio }), {
      code: 'ERR_OCI_HOOK_FAILED',
      message: `error running ${name} hook #0: exit status 1`,
    });
    assertNothingLeft(bundle);
  }
});

test('an aborted creation leaves nothing', { skip }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const { root, directory } = bundle;
  bundle.change((spec) => {
    spec.hooks = { createRuntime: [{ path: '/bin/sleep', args: ['sleep', '60'] }] };
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 200);
  await assert.rejects(create(testId(), { bundle: directory, root, stdio, signal: controller.signal }), {
    message: 'enough',
  });
  assertNothingLeft(bundle);
});

test('limits are in force for the process', { skip: skipWithoutGroups }, async () => {
  using bundle = busyboxBundle(
    'cat /proc/self/cgroup >/tmp/cgroup; i=0; while [ $i -lt 20 ]; do sleep 3 & i=$((i+1)); done; wait',
  );
  const [id, { root, directory }] = [testId(), bundle];
  bundle.change((spec) => {
    if (spec.root) spec.root.readonly = false;
    spec.linux.resources = {
      ...spec.linux.resources,
      pids: { limit: 6 },
      memory: { limit: 32 * 1024 * 1024 },
    };
  });
  const { exitCode } = await run(id, { bundle: directory, root, stdio });
  assert.notEqual(exitCode, 0);
  assertNothingLeft(bundle);
});

test('what a killed creation left can be deleted', { skip: skipWithoutGroups }, async () => {
  using bundle = busyboxBundle('sleep 100');
  const [id, { root, directory }] = [testId(), bundle];
  await create(id, { bundle: directory, root, stdio });
  const file = join(root, id, 'state.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  // As if the creator was killed right after the init joined its cgroup: its id was not written yet.
  writeFileSync(file, JSON.stringify({ ...record, creator: { pid: 1, startTime: -1 } }));
  for (const name of ['init.json', 'finished']) rmSync(join(root, id, name));
  assert.equal(state(id, { root }).pid, 0);
  await remove(id, { root, force: true });
  assertNothingLeft(bundle);
  mkdirSync(join(root, id), { recursive: true, mode: 0o700 });
  await remove(id, { root });
  assertNothingLeft(bundle);
});

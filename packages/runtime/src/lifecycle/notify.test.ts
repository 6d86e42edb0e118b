import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { main } from '../command-line/main.ts';
import {
  busyboxBundle,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  testId,
} from '../testing/busybox-bundle.ts';
import { until } from '../testing/checkpoints.ts';
import { create } from './create.ts';
import { remove } from './remove.ts';
import { run, runDetached } from './run.ts';
import { start } from './start.ts';
import { state } from './state.ts';

const cannotCompile = spawnSync('cc', ['--version']).status === 0 ? false : 'needs a C compiler (cc)';
const skip = cannotRunAsRoot() || cannotCompile;
const stdio = ['ignore', 'ignore', 'ignore'] as const;

/** A bundle with a program that says things to its service manager. */
function notifyingBundle(script: string): TestBundle & { readonly program: string } {
  const bundle = busyboxBundle(script);
  const program = join(bundle.directory, 'rootfs/bin/notify');
  const source = fileURLToPath(new URL('./testing/notify.c', import.meta.url));
  assert.equal(spawnSync('cc', ['-static', '-o', program, source], { stdio: 'inherit' }).status, 0);
  return { ...bundle, program };
}

/** A service manager: what it was told, and by which process. */
class Manager implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(program: string, name: string) {
    this.name = name;
    this.#child = spawn(program, ['receive', name], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = this.#child.stdout;
    assert.ok(output);
    createInterface(output).on('line', (line) => this.heard.push(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.kill()) await ended;
  }
}

async function startManager(program: string, name: string): Promise<Manager> {
  const manager = new Manager(program, name);
  await until(() => manager.heard.shift() === 'ready');
  return manager;
}

test('start returns when the container is ready, and says so', { skip }, async () => {
  using bundle = notifyingBundle(`
    notify send STATUS=starting READY=0 XREADY=1 READY=12 || exit 1
    while ! test -e /tmp/go; do sleep 0.05; done
    notify send "STATUS=up
READY=1" || exit 1
    exec sleep 100`);
  const { root, directory } = bundle;
  bundle.change((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
  });
  await using manager = await startManager(bundle.program, `@oci-test-${process.pid}`);
  const notifySocket = manager.name;
  const id = testId();
  const go = join(directory, 'rootfs/tmp/go');
  try {
    await create(id, { bundle: directory, root, stdio, notifySocket });
    let isStarted = false;
    const started = start(id, { root, notifySocket }).then(() => {
      isStarted = true;
    });
    await until(() => state(id, { root }).status === 'running');
    assert.deepEqual([isStarted, manager.heard], [false, []]);
    mkdirSync(go);
    await started;
    await until(() => manager.heard.length === 2);
    const { pid } = state(id, { root });
    assert.equal(manager.heard[0], `${process.pid} READY=1 MAINPID=${pid} `);
    assert.match(manager.heard[1] ?? '', /^\d+ BARRIER=1$/);
    assert.equal(existsSync(join(root, id, 'notify/notify.sock')), false);
  } finally {
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('run passes readiness on while it waits for the end', { skip }, async () => {
  using bundle = notifyingBundle('notify send READY=1; exit 3');
  const { root, directory } = bundle;
  const notifySocket = join(directory, 'manager');
  await using manager = await startManager(bundle.program, notifySocket);
  const { exitCode } = await run(testId(), { bundle: directory, root, stdio, notifySocket });
  assert.equal(exitCode, 3);
  await until(() => manager.heard.length > 0);
  assert.deepEqual(manager.heard, [`${process.pid} READY=1 `]);
  assert.deepEqual(leftovers(bundle), []);
});

test('a container that ends without having been ready is not waited for', { skip }, async () => {
  using bundle = notifyingBundle('test -S $NOTIFY_SOCKET || exit 5; sleep 0.3');
  const { root, directory } = bundle;
  const notifySocket = join(directory, 'manager');
  await using manager = await startManager(bundle.program, notifySocket);
  const id = testId();
  await runDetached(id, { bundle: directory, root, stdio, notifySocket });
  await until(() => state(id, { root }).status === 'stopped');
  assert.deepEqual(manager.heard, []);
  await remove(id, { root });
  assert.deepEqual(leftovers(bundle), []);
});

test('a manager that is not there is named', { skip }, async () => {
  using bundle = notifyingBundle('notify send READY=1; exec sleep 100');
  const { root, directory } = bundle;
  const notifySocket = join(directory, 'nobody');
  const id = testId();
  try {
    await create(id, { bundle: directory, root, stdio, notifySocket });
    await assert.rejects(start(id, { root, notifySocket }), {
      code: 'ERR_OCI_INIT_FAILED',
      message: /cannot tell ".*nobody" that the container is ready: no such file/,
    });
    assert.equal(state(id, { root }).status, 'running');
  } finally {
    await remove(id, { root, force: true });
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('without a manager there is no socket', { skip }, async () => {
  using bundle = notifyingBundle('test -z "$NOTIFY_SOCKET" && ! test -e /run/notify');
  const { root, directory } = bundle;
  const { exitCode } = await run(testId(), { bundle: directory, root, stdio });
  assert.equal(exitCode, 0);
});

test('the command line takes the manager from NOTIFY_SOCKET', { skip }, async () => {
  using bundle = notifyingBundle('notify send READY=1; exec sleep 100');
  const { root, directory } = bundle;
  const name = join(directory, 'manager');
  await using manager = await startManager(bundle.program, name);
  const before = process.env['NOTIFY_SOCKET'];
  process.env['NOTIFY_SOCKET'] = name;
  const id = testId();
  try {
    for (const argv of [
      ['create', '--bundle', directory, id],
      ['start', id],
    ]) {
      assert.equal(await main(['--root', root, ...argv]), 0);
    }
    assert.match(manager.heard[0] ?? '', /READY=1 MAINPID=/);
  } finally {
    if (before === undefined) delete process.env['NOTIFY_SOCKET'];
    else process.env['NOTIFY_SOCKET'] = before;
    await remove(id, { root, force: true });
  }
});

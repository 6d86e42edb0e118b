import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { launch } from './container.ts';
import { remove } from './lifecycle/remove.ts';
import { busyboxBundle, cannotRun, leftovers, testId } from './testing/busybox-bundle.ts';

const skip = cannotRun();

test('launches, pipes, waits and cleans up', { skip }, async () => {
  using bundle = busyboxBundle('true');
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      args: ['sh', '-c', 'read line; echo "$line $A $(pwd) $(hostname)"; echo oops >&2; exit 3'],
      env: ['A=from outside'],
      cwd: '/tmp',
      stdio: 'pipe',
    });
    container.stdin?.end('hello\n');
    const [out, err] = [text(container.stdout as Readable), text(container.stderr as Readable)];
    assert.deepEqual(await container.wait(), { exitCode: 3 });
    assert.equal(await out, 'hello from outside /tmp oci\n');
    assert.equal(await err, 'oops\n');
    assert.equal((await container.state()).status, 'stopped');
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('disposing ends a running container', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  {
    await using container = await launch(
      { directory: bundle.directory },
      { id: testId(), root: bundle.root, stdio: 'ignore' },
    );
    assert.equal((await container.state()).status, 'running');
    assert.ok(container.pid > 0);
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('kill sends a signal; wait can be aborted alone', { skip }, async () => {
  using bundle = busyboxBundle('trap "exit 7" USR1; echo ready; while :; do sleep 0.1; done');
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await assert.rejects(container.wait({ signal: AbortSignal.abort(new Error('not now')) }), {
      message: 'not now',
    });
    for await (const _ of container.stdout as Readable) break;
    await container.kill('SIGUSR1');
    assert.deepEqual(await container.wait(), { exitCode: 7 });
    await assert.rejects(container.kill('TERM'), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
    await container.delete();
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('aborting the launch signal kills and deletes', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const controller = new AbortController();
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      stdio: 'ignore',
      signal: controller.signal,
    });
    controller.abort();
    assert.deepEqual(await container.wait(), { exitCode: 137, signal: 'SIGKILL' });
  }
  assert.deepEqual(leftovers(bundle), []);
  await assert.rejects(launch(bundle.directory, { root: bundle.root, signal: controller.signal }), {
    name: 'AbortError',
  });
});

test('a name is looked up in the root file system', {
  skip: skip || (process.geteuid?.() !== 0 && 'needs root'),
}, async () => {
  using bundle = busyboxBundle('id -u; id -G; echo $HOME');
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      user: 'app',
      stdio: 'pipe',
    });
    assert.equal(await text(container.stdout as Readable), '1000\n1000 2000\n/home/app\n');
    await container.wait();
    await assert.rejects(launch(bundle.directory, { root: bundle.root, user: 'nobody-here' }), {
      code: 'ERR_OCI_USER_NOT_FOUND',
    });
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('a detached container writes its log and is there until it is deleted', { skip }, async () => {
  using bundle = busyboxBundle('echo out; echo err >&2; exec sleep 1000');
  const logFile = join(bundle.directory, 'log');
  const id = testId();
  {
    await using container = await launch(bundle.directory, { id, root: bundle.root, detach: { logFile } });
    assert.equal((await container.state()).status, 'running');
  }
  const deadline = Date.now() + 5000;
  while (readFileSync(logFile, 'utf8') !== 'out\nerr\n') {
    assert.ok(Date.now() < deadline);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await remove(id, { root: bundle.root, force: true });
  assert.deepEqual(leftovers(bundle), []);
});

test('options that cannot be passed to a process are refused', { skip }, async () => {
  using bundle = busyboxBundle('true');
  await assert.rejects(launch(bundle.directory, { root: bundle.root, args: ['a\0b'] }), {
    code: 'ERR_OCI_SPEC_INVALID',
  });
  assert.deepEqual(leftovers(bundle), []);
});

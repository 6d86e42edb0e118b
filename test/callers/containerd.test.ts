import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Containerd, startContainerd } from '../bench/containerd.ts';
import { busyboxRootfs } from '../kit/busybox.ts';
import { unmountedHierarchies } from '../kit/hierarchies.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { runtimeWrapper } from './wrapper.ts';

const skip = missing({ root: true, commands: ['containerd', 'ctr', 'containerd-shim-runc-v2', 'busybox'] });

const blind =
  unmountedHierarchies().length > 0 && 'needs all cgroup hierarchies mounted: containerd looks into each';

describe("containerd, with runc's shim", { skip }, () => {
  let directory: TemporaryDirectory;
  let containerd: Containerd;
  let common: readonly string[];
  let rootfs: string;

  before(async () => {
    directory = await temporaryDirectory();
    const started = await startContainerd(`${directory.path}/containerd`);
    if (typeof started === 'string') throw new Error(started);
    containerd = started;
    rootfs = await busyboxRootfs(directory.path);
    common = ['--runc-binary', await runtimeWrapper(directory.path), '--rootfs'];
  });
  after(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const ctr = (...args: readonly string[]): Promise<string> => containerd.ctr(...args);
  const statusOf = async (id: string): Promise<string | undefined> =>
    new RegExp(`^${id}\\s+\\d+\\s+(\\w+)`, 'm').exec(await ctr('task', 'ls'))?.[1];
  const gone = async (id: string): Promise<void> => {
    const deadline = Date.now() + 20_000;
    while ((await statusOf(id)) !== 'STOPPED') {
      assert.ok(Date.now() < deadline, `${id} does not stop`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await ctr('task', 'rm', id);
    await ctr('container', 'rm', id);
    assert.equal(await statusOf(id), undefined);
  };

  async function sleeping(id: string, ...flags: readonly string[]): Promise<void> {
    await ctr('run', '--detach', ...flags, ...common, rootfs, id, 'sleep', '1000');
    assert.equal(await statusOf(id), 'RUNNING');
  }

  test('run --rm: output and exit code', async () => {
    assert.equal(await ctr('run', '--rm', ...common, rootfs, 'run', 'echo', 'hello'), 'hello\n');
    await assert.rejects(ctr('run', '--rm', ...common, rootfs, 'fails', 'sh', '-c', 'exit 3'), /exit 3/);
  });

  test('run: what is wrong is said', async () => {
    await assert.rejects(
      ctr('run', '--rm', ...common, rootfs, 'missing', 'missing-command'),
      /executable file not found/,
    );
  });

  test('exec: in the container', async () => {
    await sleeping('exec');
    assert.equal(await ctr('task', 'exec', '--exec-id', 'one', 'exec', 'echo', 'inside'), 'inside\n');
    await ctr('task', 'kill', '--signal', 'SIGKILL', 'exec');
    await gone('exec');
  });

  test('pause and resume', async () => {
    await sleeping('pause');
    await ctr('task', 'pause', 'pause');
    assert.equal(await statusOf('pause'), 'PAUSED');
    await ctr('task', 'resume', 'pause');
    assert.equal(await statusOf('pause'), 'RUNNING');
    await ctr('task', 'kill', '--signal', 'SIGKILL', 'pause');
    await gone('pause');
  });

  test('limits and processes', async () => {
    await sleeping('limit', '--memory-limit', String(64 * 1024 * 1024));
    const files = globSync([
      '/sys/fs/cgroup/memory/**/limit/memory.limit_in_bytes',
      '/sys/fs/cgroup/**/limit/memory.max',
    ]);
    assert.ok(files.some((file) => existsSync(file)));
    assert.match(await ctr('task', 'ps', 'limit'), /\d+/);
    await ctr('task', 'kill', '--signal', 'SIGKILL', 'limit');
    await gone('limit');
  });

  test('metrics', { skip: blind }, async () => {
    await sleeping('metrics');
    assert.match(await ctr('task', 'metrics', 'metrics'), /pids\.current|memory/);
    await ctr('task', 'kill', '--signal', 'SIGKILL', 'metrics');
    await gone('metrics');
  });

  test('stop: a signal that the program understands', async () => {
    const script = 'trap "exit 5" TERM; while :; do busybox usleep 20000; done';
    await ctr('run', '--detach', ...common, rootfs, 'stop', 'sh', '-c', script);
    await ctr('task', 'kill', '--signal', 'SIGTERM', 'stop');
    await gone('stop');
  });
});

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { busyboxRootfs } from '../kit/busybox.ts';
import { type CommandResult, command } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { runtimeWrapper } from './wrapper.ts';

const skip = missing({ root: true, commands: ['podman', 'conmon', 'busybox'] });

describe('podman --runtime', { skip }, () => {
  let directory: TemporaryDirectory;
  let podman: (...args: readonly string[]) => Promise<CommandResult>;
  let rootfs: string;

  before(async () => {
    directory = await temporaryDirectory();
    const { path } = directory;
    const runtime = await runtimeWrapper(path);
    rootfs = await busyboxRootfs(path);
    await mkdir(`${path}/storage`);
    const own = ['--root', `${path}/storage`, '--runroot', `${path}/run`, '--tmpdir', `${path}/libpod`];
    const how = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'];
    podman = (...args) => command('podman', [...own, ...how, '--runtime', runtime, ...args]);
  });
  after(async () => {
    await podman('rm', '--all', '--force', '--time', '0');
    await directory[Symbol.asyncDispose]();
  });

  /** podman's own limits are above what a container may be given where the host is one. */
  const limits = ['--ulimit', 'nofile=1000:1000', '--ulimit', 'nproc=1000:1000', '--network', 'none'];
  const run = (...args: readonly string[]): Promise<CommandResult> => podman('run', ...limits, ...args);
  const works = ({ status, stdout, stderr }: CommandResult): string => {
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  /** A container that sleeps. */
  async function sleeping(name: string, ...flags: readonly string[]): Promise<void> {
    works(
      await run(
        '--detach',
        '--name',
        name,
        '--stop-signal',
        'KILL',
        ...flags,
        '--rootfs',
        rootfs,
        'sleep',
        '1000',
      ),
    );
  }
  const stateOf = async (name: string): Promise<string> =>
    works(await podman('inspect', '--format', '{{.State.Status}}', name));

  test('run: output and exit code', async () => {
    const { status, stdout, stderr } = await run(
      '--rm',
      '--rootfs',
      rootfs,
      'sh',
      '-c',
      'echo out; echo err >&2; exit 7',
    );
    assert.deepEqual([status, stdout, stderr], [7, 'out\n', 'err\n']);
  });

  test('run: a command that is missing is 127, one that may not be executed 126', async () => {
    assert.equal((await run('--rm', '--rootfs', rootfs, 'missing-command')).status, 127);
    assert.equal((await run('--rm', '--rootfs', rootfs, '/etc/passwd')).status, 126);
  });

  test('exec: in the container, with its exit code', async () => {
    await sleeping('exec');
    assert.equal(
      works(await podman('exec', '--env', 'A=1', 'exec', 'sh', '-c', 'echo $A $(hostname)')).split(' ')[0],
      '1',
    );
    assert.equal((await podman('exec', 'exec', 'sh', '-c', 'exit 9')).status, 9);
  });

  test('stop: the container ends, and start brings it back', async () => {
    await sleeping('stop');
    works(await podman('stop', 'stop'));
    assert.equal(await stateOf('stop'), 'exited');
    works(await podman('start', 'stop'));
    assert.equal(await stateOf('stop'), 'running');
  });

  test('pause and unpause', async () => {
    await sleeping('pause');
    works(await podman('pause', 'pause'));
    assert.equal(await stateOf('pause'), 'paused');
    works(await podman('unpause', 'pause'));
    assert.equal(await stateOf('pause'), 'running');
  });

  test('limits: of memory and processes, and update', async () => {
    await sleeping('limit', '--memory', '64m', '--pids-limit', '50');
    const limit = async (): Promise<string> =>
      works(
        await podman(
          'exec',
          'limit',
          'sh',
          '-c',
          'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true',
        ),
      );
    assert.equal(await limit(), String(64 * 1024 * 1024));
    const updated = await podman('update', '--memory', '32m', 'limit');
    if (updated.status === 0) assert.equal(await limit(), String(32 * 1024 * 1024));
    else assert.match(updated.stderr, /unrecognized command/);
  });

  test('rm --force: nothing is left of a running container', async () => {
    await sleeping('gone');
    works(await podman('rm', '--force', '--time', '0', 'gone'));
    assert.equal((await podman('container', 'exists', 'gone')).status, 1);
  });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
} from '../testing/containers.testkit.ts';

const skip =
  skipContainers || (spawnSync('runc', ['--version']).status === 0 ? false : 'needs runc, not installed');

describe('run --runtime', { skip }, () => {
  let home: ContainerHome;
  before(async () => {
    home = await containerHome();
  });
  after(() => home[Symbol.asyncDispose]());

  const network = ['--network', 'none'];

  test('the command runs in the foreground, and its code is ours', async () => {
    const words = ['run', '--rm', '--runtime', 'runc', ...network, '--env', 'A=b', '--hostname', 'box'];
    const { status, stdout, stderr } = await home.oci(
      ...words,
      containerImage,
      'sh',
      '-c',
      'echo $A $GREETING; cat /proc/sys/kernel/hostname; exit 7',
    );
    assert.deepEqual([status, stdout, stderr], [7, 'b hello\nbox\n', '']);
    assert.deepEqual(await home.json('ps', '-a'), []);
  });

  test('its end is recorded', async () => {
    const words = ['run', '--name', 'kept', '--runtime', 'runc', ...network, containerImage];
    assert.equal((await home.oci(...words, 'sh', '-c', 'exit 3')).status, 3);
    const [kept] = (await home.json('ps', '-a')) as [{ state: string; exitCode: number }];
    assert.deepEqual([kept.state, kept.exitCode], ['exited', 3]);
    await home.ok('rm', 'kept');
  });

  test('what cannot be is refused, and what fails is told', async () => {
    const run = (...words: string[]) => home.oci('run', '--rm', ...words, containerImage, 'true');
    const detached = await run('--runtime', 'runc', ...network, '-d');
    assert.deepEqual([detached.status, /-d does not go with --runtime/.test(detached.stderr)], [2, true]);
    const missing = await run('--runtime', 'no-such-runtime', ...network);
    assert.equal(missing.status, 125);
    assert.match(missing.stderr, /the runtime no-such-runtime is not installed/);
    const failed = await run('--runtime', 'runc', ...network, '--workdir', '/proc/self/fd/999/x');
    assert.equal(failed.status, 125);
    assert.match(failed.stderr, /runc could not start the container/);
    assert.deepEqual(await home.json('ps', '-a'), []);
  });
});

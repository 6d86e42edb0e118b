import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from '../testing/containers.testkit.ts';

/** Runs until it is told to end by the image's stop signal, which it answers with code 7. */
const obedient = 'trap "echo told; exit 7" USR1; echo ready; while true; do sleep 0.1; done';

describe('oci kill, stop, wait and logs', { skip: skipContainers, timeout: 300_000 }, () => {
  let home: ContainerHome;

  before(async () => {
    home = await containerHome();
  });
  after(() => home?.[Symbol.asyncDispose]());

  const states = async (): Promise<Record<string, unknown>> => {
    const all = (await home.json('ps', '-a')) as { name: string; state: string; exitCode?: number }[];
    return Object.fromEntries(all.map(({ name, state, exitCode }) => [name, exitCode ?? state]));
  };

  test('stop sends the stop signal of the image and returns when the container has ended', async () => {
    const id = await home.background('obedient', obedient);
    assert.equal(await home.ok('stop', '-t', '60', 'obedient'), `${id}\n`);
    assert.equal((await states())['obedient'], 7);
    assert.deepEqual(await home.json('stop', id.slice(0, 12)), [id], 'a second time changes nothing');
    assert.equal(await home.ok('wait', 'obedient'), '7\n', 'it has ended already');
    assert.equal(await home.ok('logs', 'obedient'), 'ready\ntold\n');
    assert.equal(await home.ok('logs', '-n', '1', 'obedient'), 'told\n');
    assert.deepEqual(await home.json('logs', '--tail', '1', id), { id, name: 'obedient', log: 'told\n' });
  });

  test('stop kills what ignores the signal, and at once what would never see it', async () => {
    await home.background('stubborn', 'trap "" USR1; echo ready; while true; do sleep 0.1; done');
    await home.background('deaf', 'echo ready; while true; do sleep 0.1; done');
    await home.ok('stop', '--time', '1', 'stubborn');
    await home.ok('stop', '--time', '1000000', 'deaf');
    const { stubborn, deaf } = await states();
    assert.deepEqual({ stubborn, deaf }, { stubborn: 137, deaf: 137 });
  });

  test('kill sends one signal and does not wait; wait tells each exit code in order', async () => {
    const script = 'trap "echo hung up" HUP; trap "exit 9" TERM; echo ready; while true; do sleep 0.1; done';
    const first = await home.background('first', script);
    const second = await home.background('second', script);
    await home.ok('kill', '--signal', 'hup', 'first');
    await until(async () => (await home.ok('logs', 'first')).includes('hung up'));
    const waiting = home.json('wait', 'second', 'first');
    await home.ok('kill', '-s', '15', 'second');
    assert.deepEqual(await home.json('kill', 'first'), [first]);
    assert.deepEqual(await waiting, [
      { id: second, name: 'second', exitCode: 9 },
      { id: first, name: 'first', exitCode: 137 },
    ]);
    const { status, stderr } = await home.oci('kill', 'first');
    assert.equal(status, 1);
    assert.match(stderr, /container first is not running: exited \(137\)/);
    assert.match(stderr, /oci ps/);
    assert.equal((await home.oci('kill', '-s', 'NOSUCH', 'first')).status, 2);
  });

  test('wait learns the code of a container that removes itself', async () => {
    for (const background of [true, false]) {
      // Nothing tells when `wait` has found the container; on a busy machine that takes longer.
      for (const pause of [500, 3_000, 15_000]) {
        const result = await waitForRemoved({ background, pause });
        if (result.code !== 0 && pause < 15_000) continue;
        assert.deepEqual(result, { code: 0, output: '5\n' });
        break;
      }
    }
  });

  /** What `wait` says of a container that ends, and is removed, some time after `wait` was started. */
  async function waitForRemoved(options: { readonly background: boolean; readonly pause: number }) {
    const flags = ['run', '--rm', ...(options.background ? ['-d'] : []), '--name', 'short', containerImage];
    const running = home.start(...flags, 'sh', '-c', 'trap "exit 5" TERM; while true; do sleep 0.1; done');
    const ended = once(running, 'exit');
    await until(async () => (await states())['short'] === 'running');
    const waiting = home.start('wait', 'short');
    let output = '';
    waiting.stdout?.on('data', (data) => {
      output += data;
    });
    const isOver = once(waiting, 'close');
    await sleep(options.pause);
    // Its process writes no log to tell that it is ready: ask it to end until it does.
    await until(async () => {
      await home.oci('kill', '-s', 'TERM', 'short');
      return !('short' in (await states()));
    });
    const [code] = await isOver;
    await ended;
    return { code, output };
  }

  test('logs --follow ends with the container', async () => {
    await home.background('talker', 'echo 1; for i in 2 3 4; do sleep 0.2; echo $i; done; echo last >&2');
    assert.equal(await home.ok('logs', '-f', 'talker'), '1\n2\n3\n4\nlast\n');
  });

  test('a container of the foreground has no log, which is said', async () => {
    await home.ok('run', '--name', 'attached', containerImage, 'echo', 'seen');
    const { status, stdout } = await home.oci('logs', '--json', 'attached');
    assert.equal(status, 1);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, 'ERR_OCI_CONTAINER_NO_LOG');
    assert.match(error.hint, /--detach/);
  });

  test('a name that is wrong changes nothing', async () => {
    await home.background('untouched', obedient);
    for (const command of ['kill', 'stop', 'wait']) {
      const { status, stderr } = await home.oci(command, 'untouched', 'absent');
      assert.equal(status, 1);
      assert.match(stderr, /no container absent/);
    }
    assert.equal((await states())['untouched'], 'running');
    assert.equal((await home.oci('logs', '--tail', 'x', 'untouched')).status, 2);
  });
});

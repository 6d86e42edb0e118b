import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from '../testing/containers.testkit.ts';

const counting = 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.02; done';

describe('oci pause, unpause and stats', { skip: skipContainers, timeout: 300_000 }, () => {
  let home: ContainerHome;
  let id: string;

  before(async () => {
    home = await containerHome();
    id = await home.background('counter', counting, '--memory', '64m');
  });
  after(() => home?.[Symbol.asyncDispose]());

  const log = () => home.ok('logs', 'counter');
  const state = async (): Promise<string | undefined> => {
    const all = (await home.json('ps', '-a')) as { id: string; state: string }[];
    return all.find((container) => container.id === id)?.state;
  };

  test('a paused container does nothing until it is let go on', async () => {
    assert.equal(await home.ok('pause', 'counter'), `${id}\n`);
    assert.equal(await state(), 'paused');
    const written = await log();
    assert.deepEqual(await home.json('pause', 'counter'), [id], 'a second time changes nothing');
    assert.equal(await log(), written);
    const refused = await home.oci('exec', 'counter', 'true');
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /is paused/);
    assert.match(refused.stderr, /oci unpause counter/);
    assert.equal(await home.ok('unpause', 'counter'), `${id}\n`);
    assert.equal(await state(), 'running');
    await until(async () => (await log()).length > written.length);
    assert.deepEqual(await home.json('unpause', id.slice(0, 10)), [id]);
  });

  test('a paused container hears the stop signal', async () => {
    const script = 'trap "exit 6" USR1; echo ready; while true; do sleep 0.1; done';
    await home.background('asleep', script);
    await home.ok('pause', 'asleep');
    await home.ok('stop', '-t', '60', 'asleep');
    assert.equal(await home.ok('wait', 'asleep'), '6\n');
  });

  test('stats measures once as a document and as a table', async () => {
    const [one, ...others] = (await home.json('stats')) as Record<string, unknown>[];
    assert.deepEqual(others, [], 'only what runs');
    assert.deepEqual(
      Object.entries(one ?? {}).map(([key, value]) => `${key}: ${typeof value}`),
      [
        'id: string',
        'name: string',
        'cpuPercent: number',
        'memory: number',
        'memoryLimit: number',
        'pids: number',
        'blockRead: number',
        'blockWritten: number',
      ],
    );
    assert.equal(one?.['id'], id);
    assert.equal(one['memoryLimit'], 64 * 2 ** 20);
    assert.ok(Number(one['memory']) > 0);
    assert.ok(Number(one['cpuPercent']) > 0);
    assert.ok(Number(one['pids']) >= 1);
    const table = await home.ok('stats', '--no-stream', 'counter');
    const [heading, row] = table.split('\n');
    assert.match(heading ?? '', /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +PIDS +BLOCK I\/O$/);
    assert.match(row ?? '', /^[0-9a-f]{12} +counter +[\d.]+% +\S+ \/ 67\.1MB +[\d.]+% +\d+ +\S+ \/ \S+$/);
  });

  test('stats goes on until the named containers have ended', async () => {
    await home.background('brief', 'echo ready; while true; do sleep 0.1; done');
    const child = home.start('stats', 'brief');
    let output = '';
    child.stdout?.on('data', (data) => {
      output += data;
    });
    const ended = once(child, 'close');
    await until(() => (output.match(/ brief /g) ?? []).length >= 2);
    await home.ok('kill', 'brief');
    assert.equal((await ended)[0], 0);
    assert.ok(!output.includes('\u001b'), 'no terminal, no control characters');
  });

  test('what has ended is refused', async () => {
    await home.ok('run', '--name', 'over', containerImage, 'true');
    for (const command of ['pause', 'unpause', 'stats']) {
      const { status, stderr } = await home.oci(command, 'over');
      assert.equal(status, 1);
      assert.match(stderr, /container over is not running: exited \(0\)/);
    }
  });
});

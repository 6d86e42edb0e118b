import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from '../testing/containers.testkit.ts';

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

describe('containers that were to be removed at their end', {
  skip: skipContainers,
  timeout: 120_000,
}, () => {
  let home: ContainerHome;
  before(async () => {
    home = await containerHome();
  });
  after(() => home?.[Symbol.asyncDispose]());

  const list = async (): Promise<readonly Listed[]> => (await home.json('ps', '-a')) as Listed[];

  /** The process that a container is looked after by, found by its command line. */
  function supervisorOf(id: string): number {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const found = processes.find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`\0supervise\0${id}\0`);
      } catch {
        return false; // it ended meanwhile
      }
    });
    assert.ok(found, 'somebody looks after it');
    return Number(found);
  }

  async function kill(pid: number): Promise<void> {
    process.kill(pid, 'SIGKILL');
    await until(() => !isThere(pid));
  }

  test('go with the next `oci ps` when their supervisor was killed, not before they have ended', async () => {
    const id = await home.background('orphan', 'echo begun; sleep 1000', '--rm');
    await kill(supervisorOf(id));
    assert.deepEqual(
      (await list()).map(({ name, state }) => [name, state]),
      [['orphan', 'running']],
    );
    await home.ok('kill', 'orphan');
    await until(async () => (await list()).length === 0);
    const left = await readdir(join(home.directory, 'store/containers'));
    assert.deepEqual(left, ['names']);
    assert.deepEqual(await readdir(join(home.directory, 'store/containers/names')), []);
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    assert.ok(!mounts.includes(home.directory), 'nothing of it is mounted');
  });

  test('give their name free to a new one', async () => {
    const id = await home.background('again', 'echo begun; sleep 1000', '--rm');
    await kill(supervisorOf(id));
    await home.ok('kill', 'again');
    await until(async () => {
      const { status } = await home.oci('run', '--rm', '--name', 'again', containerImage, 'true');
      return status === 0;
    });
    assert.deepEqual(await list(), []);
  });

  test('that somebody looks after are left alone, also while they end', async () => {
    const args = ['run', '--rm', '--name', 'kept', containerImage, 'sh', '-c', 'exit 7'];
    for (let round = 0; round < 2; round++) {
      const child = home.start(...args);
      const ended = once(child, 'close');
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      while (!isOver) await list();
      assert.deepEqual((await ended)[0], 7, 'its own exit code');
    }
    assert.deepEqual(await list(), []);
  });

  test('whose state the runtime is just making or removing are listed, and can be removed', async () => {
    const id = await home.background('half', 'echo begun; sleep 1000');
    await home.ok('kill', 'half');
    await home.ok('wait', 'half');
    await removeState(join(home.env['OCI_ROOT'] ?? '', id, 'state.json'));
    assert.deepEqual(
      (await list()).map(({ name }) => name),
      ['half'],
    );
    await home.ok('rm', 'half');
    assert.deepEqual(await readdir(home.env['OCI_ROOT'] ?? ''), []);
  });

  test('that ran in the foreground of a killed `oci` go as well', async () => {
    const args = ['run', '--rm', '--name', 'front', containerImage, 'sleep', '1000'];
    const child = home.start(...args);
    await until(async () => (await list()).some(({ state }) => state === 'running'));
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    await home.oci('kill', 'front');
    await until(async () => (await list()).length === 0);
    assert.ok(
      !readFileSync('/proc/self/mounts', 'utf8').includes(home.directory),
      'nothing of it is mounted',
    );
  });
});

/** As far as the runtime is when a container's state goes: its cgroup went before. */
async function removeState(path: string): Promise<void> {
  const { cgroup } = JSON.parse(readFileSync(path, 'utf8'));
  for (const { path: group, created } of cgroup?.directories ?? []) if (created) await rmdir(group);
  await rm(path);
}

function isThere(pid: number): boolean {
  try {
    // One that nobody waited for is not there any more either.
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

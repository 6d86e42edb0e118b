import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { acquireLock } from './lock.ts';
import { createToken, tokenLiveness } from './owner.ts';
import { createStaleness } from './staleness.ts';

const what = 'the test';
const contender = fileURLToPath(new URL('./contender.testkit.ts', import.meta.url));

async function scratch(): Promise<{ directory: string; lock: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-lock-'));
  await mkdir(join(directory, 'locks'));
  return {
    directory,
    lock: join(directory, 'locks', 'l'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** A token of a process that runs no more. */
async function deadToken(): Promise<string> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  return createToken().replace(/:\d+:\d+:/, `:${child.pid}:1:`);
}

test('a lock has one holder at a time and leaves nothing behind', async () => {
  await using place = await scratch();
  let inside = 0;
  const visit = async (): Promise<void> => {
    await using _lock = await acquireLock(place.lock, { what });
    assert.equal(++inside, 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    inside--;
  };
  await Promise.all(Array.from({ length: 10 }, visit));
  assert.deepEqual(await readdir(join(place.directory, 'locks')), []);
});

test('waiting ends with the signal, and with the time limit', async () => {
  await using place = await scratch();
  await using _lock = await acquireLock(place.lock, { what });
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 20);
  await assert.rejects(acquireLock(place.lock, { what, signal: controller.signal }), { message: 'enough' });
  await assert.rejects(acquireLock(place.lock, { what, timeoutMs: 20 }), {
    code: 'ERR_OCI_STORE_LOCKED',
    hint: new RegExp(`process ${process.pid}`),
  });
});

test('the lock of a dead process is taken over at once, with all else that the dead left', async () => {
  await using place = await scratch();
  await symlink(await deadToken(), place.lock);
  await symlink(await deadToken(), `${place.lock}.0123456789abcdef`);
  await symlink(await deadToken(), join(place.directory, 'locks', 'other'));
  await symlink(createToken(), join(place.directory, 'locks', 'alive'));
  await writeFile(join(place.directory, 'locks', 'foreign'), '');
  await using lock = await acquireLock(place.lock, { what });
  await lock.assertHeld();
  assert.deepEqual((await readdir(join(place.directory, 'locks'))).sort(), ['alive', 'foreign', 'l']);
});

test('a breaker that died while breaking is broken likewise', async () => {
  await using place = await scratch();
  const dead = await deadToken();
  await symlink(dead, place.lock);
  const { createHash } = await import('node:crypto');
  const guard = `${place.lock}.${createHash('sha256').update(dead).digest('hex').slice(0, 16)}`;
  await symlink(await deadToken(), guard);
  await using lock = await acquireLock(place.lock, { what, timeoutMs: 5000 });
  await lock.assertHeld();
  assert.deepEqual(await readdir(join(place.directory, 'locks')), ['l']);
});

test('links that were forged to lead round in circles only time out', async () => {
  await using place = await scratch();
  const dead = await deadToken();
  const { createHash } = await import('node:crypto');
  await symlink(dead, place.lock);
  await symlink(dead, `${place.lock}.${createHash('sha256').update(dead).digest('hex').slice(0, 16)}`);
  await assert.rejects(acquireLock(place.lock, { what, timeoutMs: 50 }), { code: 'ERR_OCI_STORE_LOCKED' });
});

test('a holder notices that its lock was taken over, and leaves the new one alone', async () => {
  await using place = await scratch();
  const lock = await acquireLock(place.lock, { what });
  await rm(place.lock);
  const other = createToken();
  await symlink(other, place.lock);
  await assert.rejects(lock.assertHeld(), { code: 'ERR_OCI_STORE_LOCKED' });
  await lock[Symbol.asyncDispose]();
  assert.equal(await readlink(place.lock), other);
});

test('a file in the place of a lock is named, not waited for', async () => {
  await using place = await scratch();
  await writeFile(place.lock, '');
  await assert.rejects(acquireLock(place.lock, { what }), { code: 'ERR_OCI_STORE_INVALID' });
});

test('owners are told apart: running, ended, another start of the same pid, out of sight', {
  skip: linuxOnly(),
}, async () => {
  assert.equal(tokenLiveness(createToken()), 'alive');
  assert.equal(tokenLiveness(await deadToken()), 'gone');
  assert.equal(tokenLiveness(createToken().replace(/:(\d+):\d+:/, ':$1:1:')), 'gone');
  assert.equal(tokenLiveness(createToken().replace(/:[0-9a-f]{16}:/, ':0123456789abcdef:')), 'unknown');
  assert.equal(tokenLiveness('from a future version'), 'unknown');
});

test('an owner out of sight counts as gone when it stops renewing, and not before', async () => {
  await using place = await scratch();
  const token = 'ocijs:0123456789abcdef:1:1:0123456789abcdef';
  await symlink(token, place.lock);
  const watch = createStaleness(60);
  const { lutimes } = await import('node:fs/promises');
  for (let beat = 1; beat <= 4; beat++) {
    await lutimes(place.lock, beat, beat);
    assert.equal(await watch.isStale(place.lock, token), false);
    await new Promise((resolve) => setTimeout(resolve, 40));
    assert.equal(await watch.isStale(place.lock, token), false);
  }
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(await watch.isStale(place.lock, token), true);
});

test('processes that die inside a lock never let two in', { skip: linuxOnly() }, async () => {
  await using place = await scratch();
  const violations: string[] = [];
  const contend = async (mortality: number): Promise<NodeJS.Signals | null> => {
    const child = spawn(process.execPath, [contender, place.directory, '25', String(mortality)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (data: Buffer) => violations.push(data.toString()));
    const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return signal;
  };
  let killed = 0;
  const lane = async (): Promise<void> => {
    for (let run = 0; run < 4; run++) if ((await contend(0.1)) === 'SIGKILL') killed++;
  };
  await Promise.all([lane(), lane(), lane()]);
  await contend(0);
  assert.deepEqual(violations, []);
  const found = await readdir(place.directory);
  assert.ok(!found.includes('violations'), 'two were inside');
  const passed = (await readFile(join(place.directory, 'passed'), 'utf8')).split('\n').length - 1;
  assert.ok(killed > 0 && passed >= 25, `${killed} killed, ${passed} passed`);
  assert.deepEqual(await readdir(join(place.directory, 'locks')), [], 'no lock is left');
});

function linuxOnly(): string | false {
  return process.platform === 'linux' ? false : 'needs /proc';
}

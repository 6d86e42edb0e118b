import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readExitFile } from './exit-file.ts';
import { releaseInit, startInit } from './index.ts';
import { makeBundle, makeSpec, skipReason, startOptions } from './testing/bundle.ts';

const skip = skipReason();
const sleeper = makeSpec({ process: { args: ['sleep', '1000'] } });

function parentOf(pid: number): number {
  return Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** True until the process is gone or a zombie. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\t[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await delay(10);
  assert.ok(condition());
}

/** The monitors that this program has started and that still run. */
function monitors(): string[] {
  return readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && isAlive(Number(name)) && parentOf(Number(name)) === process.pid,
  );
}

test('an attached process dies with its monitor', { skip }, async () => {
  using bundle = makeBundle();
  await using init = await startInit(startOptions(bundle, sleeper));
  await releaseInit(bundle.state, init.pid);
  process.kill(parentOf(init.pid), 'SIGKILL');
  assert.deepEqual(await init.exited, { exitCode: 137, signal: 'SIGKILL' });
  await until(() => !isAlive(init.pid));
});

test('the monitor passes signals on', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({
    process: { args: ['sh', '-c', 'trap "exit 9" TERM; echo; while :; do sleep 0.05; done'] },
  });
  await using init = await startInit({ ...startOptions(bundle, spec), stdio: ['ignore', 'pipe', 'inherit'] });
  await releaseInit(bundle.state, init.pid);
  if (init.stdout) await once(init.stdout, 'data');
  process.kill(parentOf(init.pid), 'SIGTERM');
  assert.deepEqual(await init.exited, { exitCode: 9 });
});

test('disposing ends the process and leaves nothing', { skip }, async () => {
  using bundle = makeBundle();
  let pid = 0;
  {
    await using init = await startInit(startOptions(bundle, sleeper));
    pid = init.pid;
  }
  assert.equal(isAlive(pid), false);
  assert.deepEqual(monitors(), []);
});

test('aborting while it is created leaves nothing', { skip }, async () => {
  using bundle = makeBundle();
  const controller = new AbortController();
  const reason = new Error('enough');
  let pid = 0;
  const onCreated = (created: number): Promise<void> => {
    pid = created;
    controller.abort(reason);
    return new Promise(() => undefined);
  };
  const options = { ...startOptions(bundle, sleeper), signal: controller.signal, onCreated };
  await assert.rejects(startInit(options), reason);
  assert.equal(isAlive(pid), false);
  assert.deepEqual(monitors(), []);
});

test('a failing hook ends the creation', { skip }, async () => {
  using bundle = makeBundle();
  const onCreated = (): Promise<void> => Promise.reject(new Error('hook'));
  await assert.rejects(startInit({ ...startOptions(bundle, sleeper), onCreated }), { message: 'hook' });
  assert.deepEqual(monitors(), []);
});

test('a detached process loses its monitor and keeps waiting', { skip }, async () => {
  using bundle = makeBundle();
  await using init = await startInit({ ...startOptions(bundle, sleeper), lifetime: 'detached' });
  assert.deepEqual(monitors(), []);
  assert.notEqual(parentOf(init.pid), process.pid);
  await assert.rejects(init.exited, { code: 'ERR_OCI_INIT_DETACHED' });
  await releaseInit(bundle.state, init.pid);
  await until(() => readFileSync(`/proc/${init.pid}/comm`, 'utf8') === 'sleep\n');
  process.kill(init.pid, 'SIGKILL');
  await until(() => !isAlive(init.pid));
});

/** A program that starts a container, says its pid, and ends as it is told. */
function launcher(ending: string, hostSession: boolean): string {
  return `
    import { startInit, releaseInit } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const options = { ...JSON.parse(process.env.OPTIONS), hostSession: ${hostSession} };
    const init = await startInit(options);
    await releaseInit(options.stateDirectory, init.pid);
    console.log(init.pid);
    ${ending}`;
}

for (const { hostSession, ending } of [
  { hostSession: false, ending: 'setTimeout(() => process.kill(process.pid, "SIGKILL"), 50)' },
  { hostSession: true, ending: 'setTimeout(() => process.kill(process.pid, "SIGKILL"), 50)' },
  { hostSession: true, ending: '' },
]) {
  const what = ending === '' ? 'ends' : 'is killed';
  test(`a process ${hostSession ? 'survives' : 'dies'} when its program ${what}`, { skip }, async () => {
    using bundle = makeBundle();
    const exitFile = `${bundle.state}/exit.json`;
    const script = 'while [ ! -e /tmp/stop ]; do sleep 0.02; done; exit 4';
    const spec = makeSpec({ process: { args: ['sh', '-c', script] } });
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--input-type=module', '-e', launcher(ending, hostSession)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, OPTIONS: JSON.stringify({ ...startOptions(bundle, spec), exitFile }) },
      },
    );
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    await once(child, 'exit');
    if (!hostSession) {
      await until(() => !isAlive(pid));
      return;
    }
    await delay(100);
    assert.ok(isAlive(pid));
    process.kill(pid, 'SIGKILL');
    await until(() => readExitFile(exitFile) !== undefined);
    assert.deepEqual(readExitFile(exitFile), { exitCode: 137, signal: 'SIGKILL' });
  });
}

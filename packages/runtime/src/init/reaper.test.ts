import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { reaperBinary, withReaper } from './reaper.ts';

const skip = process.platform !== 'linux' && 'needs Linux';

/** Runs a command below the reaper, which adopts orphans also where it is not process 1. */
function reap(...command: readonly string[]): ChildProcess {
  return spawn(reaperBinary(), command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const texts = ['', ''];
  [child.stdout, child.stderr].forEach((stream, index) => {
    stream?.on('data', (data) => {
      texts[index] += data;
    });
  });
  const [code] = await once(child, 'close');
  const [stdout = '', stderr = ''] = texts;
  return { code, stdout, stderr };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `did not become true: ${condition}`);
    await delay(10);
  }
}

/** The states of a process's children, such as `S` and `Z`. */
function childStates(pid: number | undefined): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter((child) => child !== '')
    .flatMap((child) => {
      try {
        return [readFileSync(`/proc/${child}/stat`, 'utf8').replace(/^.*\) (.).*$/s, '$1')];
      } catch {
        // Waited for between both looks.
        return [];
      }
    });
}

describe('the reaper', { skip, timeout: 120_000 }, () => {
  test('ends as its command ends', async () => {
    assert.deepEqual(await endOf(reap('sh', '-c', 'echo out; echo err >&2; exit 7')), {
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    assert.equal((await endOf(reap('true'))).code, 0);
    assert.equal((await endOf(reap('sh', '-c', 'kill -KILL $$'))).code, 137);
  });

  test('says 127 for a command that is not there, and 126 for one that cannot be executed', async () => {
    const absent = await endOf(reap('no-such-command'));
    assert.equal(absent.code, 127);
    assert.match(absent.stderr, /^oci-reaper: cannot run no-such-command: it is not there\n$/);
    assert.equal((await endOf(reap('/etc/passwd'))).code, 126);
    assert.equal((await endOf(reap('/no/such/file'))).code, 127);
    assert.equal((await endOf(reap())).code, 127);
  });

  test('passes signals on', async () => {
    const script = 'trap "echo hung up" HUP; trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const child = reap('sh', '-c', script);
    let output = '';
    child.stdout?.on('data', (data) => {
      output += data;
    });
    await until(() => output.includes('ready'));
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const blocked = BigInt(`0x${/^SigBlk:\t(.*)$/m.exec(status)?.[1]}`);
    assert.equal((blocked >> 14n) & 1n, 1n, 'it takes SIGTERM, which whoever stops a container asks first');
    child.kill('SIGHUP');
    await until(() => output.includes('hung up'));
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 9);
  });

  test('waits for processes whose parents are gone', async () => {
    // Twenty orphans that end at once, while the command goes on.
    const script =
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (true & true); done; echo done; exec sleep 1000';
    const child = reap('sh', '-c', script);
    await once(child.stdout ?? child, 'data');
    await until(() => childStates(child.pid).length === 1);
    assert.ok(!childStates(child.pid).includes('Z'), 'no zombies');
    child.kill('SIGTERM');
    assert.equal((await endOf(child)).code, 143);
  });

  test('gives the command the signals that it was given itself, and a process group of its own', async () => {
    const child = reap(
      'sh',
      '-c',
      'grep -E "^(SigBlk|SigIgn)" /proc/self/status; cut -d" " -f1,5 /proc/$$/stat',
    );
    const { stdout } = await endOf(child);
    const own = readFileSync('/proc/self/status', 'utf8');
    assert.equal(/^SigBlk:\t(.*)$/m.exec(stdout)?.[1], /^SigBlk:\t(.*)$/m.exec(own)?.[1]);
    const [pid, group] = stdout.trim().split('\n').at(-1)?.split(' ') ?? [];
    assert.equal(pid, group);
  });

  test('is small and needs no dynamic linker', () => {
    const bytes = readFileSync(reaperBinary());
    assert.ok(bytes.length < 32 * 1024, `${bytes.length} bytes`);
    const interpreter = /lib(?:64)?\/ld-/.test(bytes.toString('latin1'));
    assert.equal(interpreter, false);
    execFileSync(reaperBinary(), ['true'], { env: {} });
  });
});

test('a configuration with a reaper has it as its first word, mounted read-only', () => {
  const spec = withReaper(
    { ociVersion: '1.0.2', process: { cwd: '/', user: { uid: 0, gid: 0 }, args: ['sh', '-c', 'true'] } },
    '/state/init',
  );
  assert.deepEqual(spec.process?.args, ['/dev/init', 'sh', '-c', 'true']);
  const [mount] = spec.mounts ?? [];
  assert.equal(mount?.source, '/state/init');
  assert.ok(mount?.options?.includes('ro'));
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseSignal, signalName, signalProcess, waitForEnd } from './signal.ts';
import { identify, isAlive, type ProcessIdentity, parseProcessStat, readProcessStat } from './stat.ts';

test('a command that looks like the rest of the line does not confuse the parser', () => {
  const rest = 'S 1 5 5 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 1 0 98765 4096';
  for (const command of ['sh', 'a b', ') Z 7 (', 'x\ny']) {
    assert.deepEqual(parseProcessStat(`42 (${command}) ${rest}`), {
      pid: 42,
      state: 'S',
      parent: 1,
      startTime: 98765,
    });
  }
  assert.equal(parseProcessStat(''), undefined);
  assert.equal(parseProcessStat('42 (sh) S 1'), undefined);
});

test('an identity with another start time is another process', () => {
  const self = identify(process.pid) as ProcessIdentity;
  assert.equal(isAlive(self), true);
  const earlier = { ...self, startTime: self.startTime - 1 };
  assert.equal(isAlive(earlier), false);
  assert.equal(signalProcess(earlier, 0), false);
  assert.equal(signalProcess(self, 0), true);
});

test('a killed process is waited for; a missing one is no error', async () => {
  const child = spawn('sleep', ['100'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const identity = identify(child.pid as number) as ProcessIdentity;
  assert.equal(await waitForEnd(identity, { timeout: 5 }), false);
  const ended = once(child, 'exit');
  assert.equal(signalProcess(identity, 9), true);
  assert.equal(await waitForEnd(identity), true);
  await ended;
  assert.equal(signalProcess(identity, 9), false);
  assert.equal(readProcessStat(identity.pid), undefined);
});

test('signals are read as kill reads them', () => {
  const readings: [string, number][] = [
    ['9', 9],
    ['KILL', 9],
    ['SIGKILL', 9],
    ['sigterm', 15],
    ['term', 15],
    ['0', 0],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['64', 64],
  ];
  for (const [text, number] of readings) assert.equal(parseSignal(text), number, text);
  for (const text of ['', 'KILLED', '65', '-9', '1.5', 'RTMIN-1', 'RTMAX+1', '9 ', 'SIG']) {
    assert.throws(() => parseSignal(text), { code: 'ERR_OCI_SIGNAL_INVALID' }, text);
  }
  assert.equal(signalName(9), 'SIGKILL');
  assert.equal(signalName(40), 'SIG40');
});

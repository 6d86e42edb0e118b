import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from './run-program.ts';

test('what is written after the end of the program itself is part of its answer', async () => {
  const answer = await runProgram('/bin/sh', { args: ['-c', '(sleep 0.3; echo late) & exit 0'] });
  assert.deepEqual(answer, { code: 0, stdout: 'late', stderr: '' });
});

test('a program that stays in the background is not waited for, unless it fails', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-program-'));
  try {
    const pidFile = join(directory, 'pid');
    const args = ['-c', `sleep 1000 & echo $! >'${pidFile}'; exit 0`];
    assert.equal((await runProgram('/bin/sh', { args, staysInBackground: true })).code, 0);
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
  } finally {
    await rm(directory, { recursive: true });
  }
  const failed = ['-c', '(sleep 0.3; echo why >&2) & exit 3'];
  const answer = await runProgram('/bin/sh', { args: failed, staysInBackground: true });
  assert.deepEqual(answer, { code: 3, stdout: '', stderr: 'why' });
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { available } from './library.ts';
import { socketPair, spawnChild, waitForChild } from './spawn.ts';

const skip = available() ? false : 'needs Linux';

/** What a shell script says on its descriptor 1, which is a socket, and its status. */
async function shell(
  script: string,
  descriptors: (socket: number) => readonly (number | null)[] = (socket) => [null, socket, null],
): Promise<{ readonly output: string; readonly status: number }> {
  const [ours, theirs] = socketPair();
  const socket = new Socket({ fd: ours, readable: true, writable: true });
  let pid: number;
  try {
    const args = ['sh', '-c', script];
    pid = spawnChild('/bin/sh', { args, directory: '/', descriptors: descriptors(theirs) });
  } finally {
    closeSync(theirs);
  }
  const output = await text(socket);
  return { output, status: await waitForChild(pid) };
}

test('a child has its arguments, directory and descriptors, and no environment or others', {
  skip,
}, async () => {
  const script =
    'pwd; echo /proc/self/fd/*; env | grep -v ^PWD=; readlink /proc/self/fd/0 /proc/self/fd/2; exit 3';
  const { output, status } = await shell(script);
  const [directory, fds, ...rest] = output.trim().split('\n');
  assert.equal(directory, '/');
  // Whatever this process was given itself without close-on-exec, others are given too.
  const { stdout } = spawnSync('/bin/sh', ['-c', 'echo /proc/self/fd/*'], { encoding: 'utf8' });
  assert.equal(`${fds}\n`, stdout);
  assert.deepEqual(
    rest.filter((line) => !/^(OLDPWD|_|SHLVL)=/.test(line)),
    ['/dev/null', '/dev/null'],
  );
  assert.equal(status, 3 << 8);
});

test('descriptors take each other’s places', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ocijs-spawn-'));
  const files = ['a', 'b', 'c'].map((name) => openSync(join(directory, name), 'w'));
  try {
    const [first = 0, second = 0, third = 0] = files;
    // More than the highest of them, so that every number is wanted by somebody else.
    const count = Math.max(...files) + 1;
    const { status } = await shell('echo b >&1; echo c >&2', (socket) => {
      const wanted: (number | null)[] = Array.from({ length: count + 1 }, () => null);
      wanted.splice(0, 3, first, second, third);
      wanted[first] = third;
      wanted[count] = socket;
      return wanted;
    });
    assert.equal(status, 0);
    assert.equal(readFileSync(join(directory, 'b'), 'utf8'), 'b\n');
    assert.equal(readFileSync(join(directory, 'c'), 'utf8'), 'c\n');
  } finally {
    for (const fd of files) closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});

test('a child ignores and blocks no signal', { skip }, async () => {
  // Node itself ignores SIGPIPE.
  const { output } = await shell('grep -E "^Sig(Blk|Ign):" /proc/self/status');
  assert.deepEqual(output.match(/\d{16}/g)?.map(Number), [0, 0]);
  const { status } = await shell('kill -TERM $$');
  assert.equal(status & 0x7f, 15);
});

test('what cannot be started says why', { skip }, async () => {
  const descriptors = [null, null, null];
  const start = (file: string, directory = '/'): number =>
    spawnChild(file, { args: ['x'], directory, descriptors });
  assert.throws(() => start('/nonexistent'), { code: 'ENOENT', syscall: 'posix_spawn' });
  assert.throws(() => start(realpathSync('/')), { code: 'EACCES' });
  assert.throws(() => start('/bin/sh', '/nonexistent'), { code: 'ENOENT' });
  assert.throws(() => spawnChild('/bin/sh', { args: ['a\0b'], directory: '/', descriptors }), {
    code: 'EINVAL',
  });
  await assert.rejects(waitForChild(1), { code: 'ECHILD' });
});

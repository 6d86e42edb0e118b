import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { constants } from './constants.ts';
import { fcntlAddSeals, flock, memfdCreate, setCloseOnExec, write } from './file.ts';
import { available } from './library.ts';
import { mount, statfs, umount2 } from './mount.ts';
import { close, openat } from './open.ts';
import { kill, pidfdOpen, pidfdSendSignal, prctl } from './process.ts';

const skip = available() ? false : 'needs Linux';

test('importing the package does not load koffi', { skip }, async () => {
  const program = `import ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    process.exit(process.report.getReport().sharedObjects.some((name) => name.includes('koffi')) ? 1 : 0)`;
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program]);
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('the calls work in several worker threads at once', { skip }, async () => {
  const program = `const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)}).then((linux) => {
      for (let index = 0; index < 2000; index += 1) {
        const fd = linux.openat(linux.constants.AT_FDCWD, '/', { flags: linux.constants.O_PATH });
        linux.fstat(fd); linux.close(fd);
        try { linux.openat(linux.constants.AT_FDCWD, '/missing', { flags: 0 }); parentPort.postMessage('no error'); }
        catch (error) { if (error.code !== 'ENOENT') parentPort.postMessage(error.code); }
      }
      parentPort.postMessage('done');
    });`;
  const answers = [1, 2, 3].map(async () => {
    const worker = new Worker(program, { eval: true });
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    return answer;
  });
  assert.deepEqual(await Promise.all(answers), ['done', 'done', 'done']);
});

test('a sealed memfd cannot be changed any more', { skip }, () => {
  const { MFD_ALLOW_SEALING, MFD_CLOEXEC, F_SEAL_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_SEAL } = constants;
  const fd = memfdCreate('test', { flags: MFD_CLOEXEC | MFD_ALLOW_SEALING });
  try {
    assert.equal(write(fd, Buffer.from('abc')), 3);
    fcntlAddSeals(fd, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    assert.throws(() => write(fd, Buffer.from('d')), { code: 'EPERM' });
    assert.throws(() => fcntlAddSeals(fd, F_SEAL_WRITE), { code: 'EPERM' });
    setCloseOnExec(fd, { closeOnExec: false });
  } finally {
    close(fd);
  }
});

test('flock excludes another descriptor', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'ocijs-linux-'));
  writeFileSync(join(directory, 'lock'), '');
  const open = () => openat(constants.AT_FDCWD, join(directory, 'lock'), { flags: constants.O_RDONLY });
  const [first, second] = [open(), open()];
  try {
    flock(first, { exclusive: true });
    assert.throws(() => flock(second, { exclusive: false, nonblock: true }), { code: 'EAGAIN' });
    close(first);
    flock(second, { exclusive: false, nonblock: true });
  } finally {
    close(second);
    rmSync(directory, { recursive: true });
  }
});

test('a pidfd reaches its process, and only it', { skip }, async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const fd = pidfdOpen(child.pid ?? 0);
  try {
    pidfdSendSignal(fd, 0);
    kill(child.pid ?? 0, 0);
    pidfdSendSignal(fd, 'SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM']);
    assert.throws(() => pidfdSendSignal(fd, 'SIGTERM'), { code: 'ESRCH' });
  } finally {
    close(fd);
  }
});

test('prctl, statfs, and mounts that are refused', { skip }, () => {
  assert.ok([0, 1].includes(prctl(constants.PR_GET_NO_NEW_PRIVS)));
  assert.equal(statfs('/proc').magic, constants.PROC_SUPER_MAGIC);
  assert.throws(() => umount2('/missing'), { syscall: 'umount2' });
  assert.throws(() => mount('/missing', { source: 'none', type: 'no-such-type' }), { syscall: 'mount' });
});

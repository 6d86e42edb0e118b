import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, symlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { type CommandResult, command, output } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { root } from './packed.ts';

/** `e_machine` of ELF files. */
const machines = { x64: 62, arm64: 183 } as const;

const skip = missing({ commands: ['aarch64-linux-gnu-gcc', 'qemu-aarch64-static'] });
const needs = skip || (process.arch === 'x64' ? false : 'the other architecture is compiled on x64');

test('the native programs for arm64 are compiled beside our own, and run under qemu', {
  skip: needs,
}, async () => {
  await using temporary = await temporaryDirectory();
  // A copy, so that no other test finds half of a program.
  await cp(`${root}packages/runtime/native`, `${temporary.path}/native`, { recursive: true });
  await cp(`${root}packages/runtime/package.json`, `${temporary.path}/package.json`);
  await symlink(`${root}node_modules`, `${temporary.path}/node_modules`);
  const printed = await output(process.execPath, [`${temporary.path}/native/prebuilt.mjs`]);
  assert.deepEqual(
    printed
      .trim()
      .split('\n')
      .map((path) => basename(path)),
    ['oci-init-x64', 'oci-reaper-x64', 'oci-init-arm64', 'oci-reaper-arm64'],
  );

  const directory = `${temporary.path}/dist/native`;
  assert.equal((await readdir(directory)).length, 4);
  for (const file of await readdir(directory)) {
    const header = await readFile(`${directory}/${file}`);
    const arch = file.endsWith('-arm64') ? 'arm64' : 'x64';
    assert.equal(header.subarray(0, 4).toString('latin1'), '\x7fELF');
    assert.equal(header.readUInt16LE(18), machines[arch], file);
    assert.doesNotMatch(await output('readelf', ['-lW', `${directory}/${file}`]), /INTERP/, 'needs no libc');
  }

  // Under qemu it starts, copies itself into sealed memory, and is told by the kernel, which knows no ARM, that this
  // cannot be run: it reports that to whom its socket belongs.
  const child = spawn('qemu-aarch64-static', [`${directory}/oci-init-arm64`, '3'], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdio[3]?.on('data', (chunk: Buffer) => said.push(chunk));
  const [status] = await once(child, 'close');
  assert.match(Buffer.concat(said).toString('latin1'), /cannot run from memory/);
  assert.notEqual(status, 0);

  // The other one does all of its work: signals, processes whose parents are gone, exit codes.
  const reaper = (...words: readonly string[]): Promise<CommandResult> =>
    command('qemu-aarch64-static', [`${directory}/oci-reaper-arm64`, ...words], {
      env: { PATH: '/usr/bin:/bin' },
    });
  assert.equal((await reaper('sh', '-c', 'exit 7')).status, 7);
  assert.equal((await reaper('sh', '-c', 'sleep 0.1 & (sleep 0.2 &); exit 0')).status, 0);
  assert.equal((await reaper('sh', '-c', 'kill -TERM $PPID; exec sleep 100')).status, 128 + 15);
  const absent = await reaper('no-such-command');
  assert.deepEqual(
    [absent.status, absent.stderr],
    [127, 'oci-reaper: cannot run no-such-command: it is not there\n'],
  );
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, symlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { output } from '../kit/command.ts';
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
    ['oci-init-x64', 'oci-init-arm64'],
  );

  const directory = `${temporary.path}/dist/native`;
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
});

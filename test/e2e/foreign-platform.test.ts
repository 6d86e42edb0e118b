import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { command } from '../kit/command.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { findCommand, missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const skip = missing({ root: true }) || (process.arch === 'x64' ? false : 'needs an x86-64 host');
const emulator = findCommand('qemu-aarch64-static');

/** A static program for Linux on arm64 that prints `emulated`, put together by hand. */
function arm64Program(): Buffer {
  const text = Buffer.from('emulated\n');
  const instructions = [
    0xd2800020, // mov x0, 1
    0x100000e1, // adr x1, text: 7 instructions on
    0xd2800122, // mov x2, 9
    0xd2800808, // mov x8, 64 (write)
    0xd4000001, // svc 0
    0xd2800000, // mov x0, 0
    0xd2800ba8, // mov x8, 93 (exit)
    0xd4000001, // svc 0
  ];
  const code = Buffer.alloc(instructions.length * 4);
  for (const [index, word] of instructions.entries()) code.writeUInt32LE(word, index * 4);
  const headers = Buffer.alloc(120);
  headers.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  const [base, size] = [0x400000n, BigInt(headers.length + code.length + text.length)];
  for (const [offset, value] of [
    [16, 2],
    [18, 183],
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    headers.writeUInt16LE(value, offset);
  for (const [offset, value] of [
    [20, 1],
    [64, 1],
    [68, 5],
  ] as const)
    headers.writeUInt32LE(value, offset);
  for (const [offset, value] of [
    [24, base + 120n],
    [32, 64n],
    [80, base],
    [88, base],
    [96, size],
    [104, size],
    [112, 0x1000n],
  ] as const)
    headers.writeBigUInt64LE(value, offset);
  return Buffer.concat([headers, code, text]);
}

async function context(directory: string): Promise<void> {
  await writeFile(join(directory, 'program'), arm64Program(), { mode: 0o755 });
  await writeFile(join(directory, 'Dockerfile'), 'FROM scratch\nCOPY program /program\nRUN ["/program"]\n');
}

const hasHandler = async (): Promise<boolean> =>
  readFile('/proc/sys/fs/binfmt_misc/qemu-aarch64', 'utf8').then(
    () => true,
    () => false,
  );

describe('a build for another machine', { skip }, () => {
  test('says what is missing where nothing runs its programs', async (t) => {
    if (await hasHandler()) return t.skip('this host runs programs for arm64');
    await using temporary = await temporaryDirectory();
    await context(temporary.path);
    const args = ['build', '--platform', 'linux/arm64', temporary.path];
    const { status, stderr } = await oci(ociHome(temporary.path), args);
    assert.equal(status, 1);
    assert.match(stderr, /hint: this host runs no programs for linux\/arm64: register an emulator/);
  });

  test('runs them with an emulator that is registered', {
    skip: emulator === undefined && 'needs qemu-user-static',
  }, async (t) => {
    await using temporary = await temporaryDirectory();
    await context(temporary.path);
    // A user namespace has handlers of its own: nothing of this host is changed.
    const magic = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
    const mask = String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
    const script = `
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || exit 99
printf '%s' ':test:M::${magic}:${mask}:${emulator}:FC' > /proc/sys/fs/binfmt_misc/register || exit 99
exec "$@"`;
    const { store } = ociHome(temporary.path);
    const build = [process.execPath, ociProgram, 'build', '--progress', 'plain', '--store', store];
    const { status, stderr } = await command('unshare', [
      ...['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'],
      ...[...build, '--platform', 'linux/arm64', temporary.path],
    ]);
    if (status === 99) return t.skip(`user namespaces have no binfmt_misc here: ${stderr.trim()}`);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /\] emulated$/m);
  });
});

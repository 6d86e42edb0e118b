import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { encodePlan } from '../plan/encode.ts';
import { initStep } from '../plan/step.ts';
import { initBinary } from './binary.ts';
import { createMessageReader, type Message } from './messages.ts';
import { skipReason } from './testing/bundle.ts';

const skip = skipReason();

/** Gives bytes to an init as its plan; its exit code and what it said. */
async function feed(
  plan: Buffer,
): Promise<{ readonly code: number | null; readonly messages: readonly Message[] }> {
  const child = spawn(initBinary(5), ['3'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env: {} });
  const control = child.stdio[3] as Socket;
  const read = createMessageReader();
  const messages: Message[] = [];
  control.on('data', (chunk: Buffer) => messages.push(...read(chunk)));
  // It may end before it has read everything.
  control.on('error', () => undefined);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(plan.length);
  control.end(Buffer.concat([length, plan]));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, messages };
}

const header = { flags: 0, cloneFlags: 0, preservedFds: 0 };
const sound = encodePlan(header, [
  initStep('hostname', { purpose: 'set', fields: { text: 'name', slot: 5 } }),
]);

function changed(offset: number, value: number): Buffer {
  const bytes = Buffer.from(sound);
  bytes.writeUInt32LE(value >>> 0, offset);
  return bytes;
}

const step = 32;
const field = step + 16;

for (const [what, plan] of [
  ['another magic', changed(0, 1)],
  ['another version', changed(4, 99)],
  ['a wrong length', changed(8, sound.length + 4)],
  ['more steps than there are', changed(24, 2)],
  ['fewer steps than there are', changed(24, 0)],
  ['a huge number of steps', changed(24, 0xffffffff)],
  ['a step that is too long', changed(step + 8, 0xfffffff0)],
  ['a step of an odd length', changed(step + 8, 15)],
  ['a field that is too long', changed(field + 4, 0xffffffff)],
  ['a field that wraps around', changed(field + 4, 0xfffffffd)],
  ['a field of an unknown kind', changed(field, 0x9001)],
  ['a text without its end', changed(field + 4, 4)],
  ['a text that ends early', changed(field + 8, 0)],
  ['a number of the wrong size', changed(field + 16 + 4, 4)],
  ['a slot that does not exist', changed(field + 16 + 8, 100_000)],
  ['too many preserved descriptors', changed(20, 5000)],
  ['half of itself', sound.subarray(0, sound.length / 2)],
  ['nothing', Buffer.alloc(0)],
] as const) {
  test(`a plan with ${what} is refused (CVE-2021-43784)`, { skip }, async () => {
    const { code, messages } = await feed(plan);
    assert.equal(code, 1);
    assert.deepEqual(
      messages.map(({ detail }) => detail),
      ['the plan is malformed'],
    );
  });
}

test('a plan of four gigabytes is not read', { skip }, async () => {
  const { code } = await feed(Buffer.alloc(0));
  assert.equal(code, 1);
});

test('the init is small, needs no dynamic linker, and its stack cannot be executed', { skip }, () => {
  const elf = readFileSync(initBinary(0));
  assert.ok(elf.length < 64 * 1024, `${elf.length} bytes`);
  assert.equal(elf.readUInt32BE(0), 0x7f454c46);
  const start = Number(elf.readBigUInt64LE(32));
  const headers = Array.from(
    { length: elf.readUInt16LE(56) },
    (_, index) => start + index * elf.readUInt16LE(54),
  );
  const types = headers.map((offset) => elf.readUInt32LE(offset));
  assert.ok(!types.includes(3), 'an interpreter');
  const stack = headers.find((offset) => elf.readUInt32LE(offset) === 0x6474e551);
  assert.equal(elf.readUInt32LE((stack ?? 0) + 4) & 1, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, notificationField, notificationSize } from '@ocijs/linux';
import { ownerCalls, readCall } from './calls.ts';

const { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } = constants;

function call(
  number: number,
  args: readonly (number | bigint)[],
  processor = 'x64',
): ReturnType<typeof readCall> {
  const bytes = Buffer.alloc(notificationSize);
  bytes.writeUInt32LE(ownerCalls(processor)?.audit ?? 0, notificationField.architecture);
  bytes.writeUInt32LE(number, notificationField.number);
  for (const [index, value] of args.entries())
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), notificationField.arguments + 8 * index);
  return readCall(bytes, processor);
}

test('calls are read as the kernel takes them: only the lower half of a number counts', () => {
  const here = { descriptor: AT_FDCWD, mayBeEmpty: false };
  assert.deepEqual(call(4, [0x1000, 0x2000]), {
    ...{ kind: 'tell', ...here, path: 0x1000, follows: true, result: 0x2000, statx: undefined },
  });
  assert.deepEqual(call(6, [1, 2])?.follows, false);
  assert.deepEqual(call(262, [0xdead_ffff_ff9cn, 1, 2, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW]), {
    ...{ kind: 'tell', ...here, mayBeEmpty: true, path: 1, follows: false, result: 2, statx: undefined },
  });
  assert.deepEqual(call(332, [5, 1, 0x2000, 0x7ff, 3]), {
    ...{ kind: 'tell', descriptor: 5, mayBeEmpty: false, path: 1, follows: true, result: 3 },
    statx: { flags: 0x2000, mask: 0x7ff },
  });
  assert.deepEqual(call(93, [7, -1, 0x1_0000_0021n]), {
    ...{ kind: 'change', descriptor: 7, mayBeEmpty: false, path: undefined, follows: true },
    ...{ uid: 0xffff_ffff, gid: 0x21, needsOpenFile: true },
  });
  assert.deepEqual(call(54, [AT_FDCWD, 9, 1, 2, AT_SYMLINK_NOFOLLOW], 'arm64'), {
    ...{ kind: 'change', ...here, path: 9, follows: false, uid: 1, gid: 2, needsOpenFile: false },
  });
});

test('other calls, architectures and flags are left to the kernel', () => {
  assert.equal(call(0, []), undefined);
  assert.equal(call(260, [AT_FDCWD, 1, 0, 0, 0x800]), undefined);
  assert.equal(call(262, [AT_FDCWD, 1, 2, 0x4000]), undefined);
  assert.equal(call(332, [AT_FDCWD, 1, 0x1_0000, 1, 2]), undefined);
  assert.equal(call(4, [1, 2], 'arm64'), undefined);
  assert.equal(ownerCalls('riscv64'), undefined);
  const other = Buffer.alloc(notificationSize);
  other.writeUInt32LE(0x4000_0003, notificationField.architecture);
  other.writeUInt32LE(4, notificationField.number);
  assert.equal(readCall(other, 'x64'), undefined);
});

import { constants as system } from 'node:os';
import { basename, dirname } from 'node:path';
import { constants } from '../constants.ts';
import { check, declare, errnoOf } from '../library.ts';
import { close, openat } from '../open.ts';

const socketFunction = declare('int socket(int domain, int type, int protocol)');
const bindFunction = declare('int bind(int fd, const void *address, unsigned int length)');
const listenFunction = declare('int listen(int fd, int backlog)');
const acceptFunction = declare('int accept4(int fd, void *address, void *length, int flags)');
const receiveFunction = declare('long recvmsg(int fd, void *header, int flags)');
const pollFunction = declare('int poll(void *entries, unsigned long count, int timeout)');
// Copies nothing and returns where the bytes lie.
const moveFunction = declare('uint64_t memmove(void *to, const void *from, size_t length)');

const unix = 1;
const stream = 1;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const addressSize = 110;
const backlog = 128;
const { AT_FDCWD, O_DIRECTORY, O_PATH } = constants;
const { EAGAIN, EINTR, ECONNABORTED } = system.errno;

/** Makes a unix socket at a path of any length and listens there, without blocking. Throws {@link SystemCallError}. */
export function listenAt(path: string): number {
  const directory = openat(AT_FDCWD, dirname(path), { flags: O_PATH | O_DIRECTORY });
  let socket = -1;
  try {
    socket = check(socketFunction(unix, stream | closeOnExec | nonBlocking, 0), { syscall: 'socket' });
    const address = Buffer.alloc(addressSize);
    address.writeUInt16LE(unix, 0);
    const length = 2 + address.write(`/proc/self/fd/${directory}/${basename(path)}`, 2);
    check(bindFunction(socket, address, length), { syscall: 'bind', path });
    check(listenFunction(socket, backlog), { syscall: 'listen', path });
    return socket;
  } catch (error) {
    if (socket >= 0) close(socket);
    throw error;
  } finally {
    close(directory);
  }
}

/** accept(2); undefined when nobody is there any more. Throws {@link SystemCallError}. */
export function acceptConnection(socket: number): number | undefined {
  const result = acceptFunction(socket, null, null, closeOnExec | nonBlocking);
  if (result < 0 && [EAGAIN, EINTR, ECONNABORTED].includes(errnoOf())) return undefined;
  return check(result, { syscall: 'accept' });
}

/** What {@link receiveDescriptor} found: a descriptor, none in this message, or the end. */
export type ReceivedDescriptor = number | 'none' | 'end';

const rights = 1;
const socketLevel = 1;
const controlLength = 20;
const text = Buffer.allocUnsafeSlow(4096);
const control = Buffer.allocUnsafeSlow(24);
const vector = Buffer.allocUnsafeSlow(16);
const header = Buffer.allocUnsafeSlow(56);
const cloexecMessages = 0x4000_0000;

/** Receives a message and the one descriptor that may come with it. */
export function receiveDescriptor(socket: number): ReceivedDescriptor {
  const address = (bytes: Buffer): bigint => BigInt(moveFunction(bytes, bytes, 0));
  vector.writeBigUInt64LE(address(text), 0);
  vector.writeBigUInt64LE(BigInt(text.length), 8);
  control.fill(0);
  header.fill(0);
  header.writeBigUInt64LE(address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(address(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  const result = receiveFunction(socket, header, cloexecMessages);
  if (result < 0) return errnoOf() === EAGAIN || errnoOf() === EINTR ? 'none' : 'end';
  const hasRights =
    header.readBigUInt64LE(40) >= BigInt(controlLength) &&
    control.readInt32LE(8) === socketLevel &&
    control.readInt32LE(12) === rights;
  if (hasRights) return control.readInt32LE(16);
  return result === 0 ? 'end' : 'none';
}

/** What {@link waitForInput} says of a descriptor: there is something to read; or its other end is gone. */
export type PollState = 'ready' | 'ended' | undefined;

const pollIn = 1;

/** Waits, as long as it takes, until one of some descriptors has input or is at its end; tells of each. */
export function waitForInput(descriptors: readonly number[]): PollState[] {
  const entries = Buffer.alloc(descriptors.length * 8);
  for (const [index, fd] of descriptors.entries()) {
    entries.writeInt32LE(fd, index * 8);
    entries.writeInt16LE(pollIn, index * 8 + 4);
  }
  const result = pollFunction(entries, descriptors.length, -1);
  if (result < 0 && errnoOf() !== EINTR) check(result, { syscall: 'poll' });
  return descriptors.map((_, index) => {
    const found = result < 0 ? 0 : entries.readUInt16LE(index * 8 + 6);
    return (found & pollIn) !== 0 ? 'ready' : found === 0 ? undefined : 'ended';
  });
}

import { closeSync } from 'node:fs';
import { ioctl } from './ioctl.ts';
import { check, declare } from './library.ts';

const socketFunction = declare('int socket(int domain, int type, int protocol)');

const inet = 2;
const datagram = 2;
const closeOnExec = 0o2000000;
const requests = { getFlags: 0x8913, setFlags: 0x8914, removeBridge: 0x89a1 } as const;
const up = 1;

/** Longest name of a network device, in bytes, and where `struct ifreq` has what belongs to it. */
const nameLimit = 15;
const valueOffset = 16;

/**
 * Switches a bridge off and removes it from this thread's network namespace; devices that hang on it are let go.
 * Throws {@link SystemCallError}: ENODEV when there is none of this name, EPERM without CAP_NET_ADMIN.
 */
export function removeBridge(name: string): void {
  const bytes = Buffer.from(name, 'latin1');
  if (bytes.length > nameLimit || bytes.includes(0)) throw new RangeError(`no name of a device: ${name}`);
  const socket = check(socketFunction(inet, datagram | closeOnExec, 0), { syscall: 'socket' });
  try {
    // struct ifreq has 40 bytes on 64-bit Linux: the name, then a union that starts with 16 bits of flags.
    const request = Buffer.alloc(40);
    bytes.copy(request);
    check(ioctl(socket, requests.getFlags, request), { syscall: 'ioctl', path: name });
    request.writeInt16LE(request.readInt16LE(valueOffset) & ~up, valueOffset);
    check(ioctl(socket, requests.setFlags, request), { syscall: 'ioctl', path: name });
    const onlyName = Buffer.alloc(nameLimit + 1);
    bytes.copy(onlyName);
    check(ioctl(socket, requests.removeBridge, onlyName), { syscall: 'ioctl', path: name });
  } finally {
    closeSync(socket);
  }
}

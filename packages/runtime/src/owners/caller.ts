import { readFileSync } from 'node:fs';
import {
  answerOpenat,
  answerPread,
  answerPwrite,
  closeQuietly,
  constants,
  isNotificationValid,
  notificationField,
} from '@ocijs/linux';
import type { OwnerCall } from './calls.ts';
import { openWithin } from './resolve.ts';

const { AT_FDCWD, O_DIRECTORY, O_PATH, O_RDWR } = constants;

/** PATH_MAX: a path with its end is no longer. */
const pathLimit = 4096;
/** What lies at or above it is no memory of a program, and no number that is exact here. */
const addressLimit = 2 ** 52;

const pathBytes = Buffer.alloc(pathLimit);

/** Paths by which a program names what it has open itself. */
const ownDescriptor = /^\/(?:proc\/(?:self|thread-self)|dev)\/fd\/(\d{1,9})$/;
const standardStreams: Readonly<Record<string, string>> = {
  '/dev/stdin': '0',
  '/dev/stdout': '1',
  '/dev/stderr': '2',
};

/**
 * A process that waits for an answer. Everything is opened by its id first and used only once the kernel has said that the process
 * still waits: until then the id may have become that of another one.
 */
export class Caller implements Disposable {
  readonly #listener: number;
  readonly #notification: Buffer;
  readonly #directory: string;
  #memory = -1;

  constructor(listener: number, notification: Buffer) {
    this.#listener = listener;
    this.#notification = notification;
    this.#directory = `/proc/${notification.readUInt32LE(notificationField.pid)}`;
  }

  /** True while it waits, so that what was opened by its id before is its own. */
  isWaiting(): boolean {
    return isNotificationValid(this.#listener, this.#notification);
  }

  /** A path by which the file of a call about a descriptor can be looked at without opening it; undefined for other calls. */
  quickPath(call: OwnerCall): string | undefined {
    return call.path === undefined ? this.#descriptorPath(call.descriptor) : undefined;
  }

  /**
   * Opens the file that a call is about, as O_PATH, in the caller's own root directory. Undefined when there is none, or none
   * that we may reach: the kernel knows the error. Whether it is the caller's file, `isWaiting` says afterwards.
   */
  open(call: OwnerCall): number | undefined {
    if (call.path === undefined) return this.#openDescriptor(call.descriptor);
    if (call.path === 0 && call.mayBeEmpty) return this.#openDescriptor(call.descriptor);
    const path = this.#readPath(call.path);
    if (path === undefined) return undefined;
    if (path.length === 1) return call.mayBeEmpty ? this.#openDescriptor(call.descriptor) : undefined;
    const { descriptor, follows } = call;
    const open = (place: string): number => answerOpenat(AT_FDCWD, place, O_PATH | O_DIRECTORY);
    const fd = openWithin(path, {
      openRoot: () => open(`${this.#directory}/root`),
      openStart: () => open(this.#descriptorPath(descriptor)),
      follows,
    });
    return fd ?? (follows ? this.#openOwn(path.toString('latin1', 0, path.length - 1)) : undefined);
  }

  #openOwn(path: string): number | undefined {
    const number = ownDescriptor.exec(path)?.[1] ?? standardStreams[path];
    return number === undefined ? undefined : this.#openDescriptor(Number(number));
  }

  #openDescriptor(descriptor: number): number | undefined {
    const fd = answerOpenat(AT_FDCWD, this.#descriptorPath(descriptor), O_PATH);
    return fd < 0 ? undefined : fd;
  }

  #descriptorPath(descriptor: number): string {
    return descriptor === AT_FDCWD ? `${this.#directory}/cwd` : `${this.#directory}/fd/${descriptor}`;
  }

  /** With the NUL at its end, in memory that is used again. */
  #readPath(address: number): Buffer | undefined {
    if (address >= addressLimit) return undefined;
    let length = 0;
    while (length < pathLimit) {
      // It stops by itself where the memory does.
      const count = answerPread(this.#openMemory(), pathBytes.subarray(length), address + length);
      if (count <= 0) return undefined;
      const found = pathBytes.indexOf(0, length);
      if (found >= 0 && found < length + count) return pathBytes.subarray(0, found + 1);
      length += count;
    }
    return undefined;
  }

  /** Writes into the caller's memory; false where it has none, undefined when its memory is out of our reach. */
  write(address: number, bytes: Uint8Array): boolean | undefined {
    const memory = this.#openMemory();
    if (memory < 0 || !this.isWaiting()) return undefined;
    return address < addressLimit && answerPwrite(memory, bytes, address) === bytes.length;
  }

  #openMemory(): number {
    if (this.#memory < 0) this.#memory = answerOpenat(AT_FDCWD, `${this.#directory}/mem`, O_RDWR);
    return this.#memory;
  }

  /** True when it may give files away: CAP_CHOWN, in the user namespace of the container's first process. */
  mayGiveAway(): boolean {
    const status = readFileSync(`${this.#directory}/status`, 'latin1');
    const effective = /^CapEff:\t([0-9a-f]{16})$/m.exec(status)?.[1];
    return effective !== undefined && (BigInt(`0x${effective}`) & 1n) !== 0n;
  }

  /** True when a descriptor was opened for reading or writing: others cannot be used to change a file. */
  isOpenFile(descriptor: number): boolean {
    const info = readFileSync(`${this.#directory}/fdinfo/${descriptor}`, 'latin1');
    const flags = /^flags:\t([0-7]+)$/m.exec(info)?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_PATH) === 0;
  }

  [Symbol.dispose](): void {
    closeQuietly(this.#memory);
    this.#memory = -1;
  }
}

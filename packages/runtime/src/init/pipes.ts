import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { StdioOption } from './types.ts';

/** This program's ends of a container's standard streams. */
export interface Pipes {
  stdin?: Writable;
  stdout?: Readable;
  stderr?: Readable;
}

/** Which streams are pipes: bits 0, 1 and 2. */
export function pipeMask(stdio: readonly StdioOption[]): number {
  return stdio.reduce<number>((mask, option, fd) => mask | (option === 'pipe' ? 1 << fd : 0), 0);
}

/** Takes over the far ends of pipes that a monitor made: it holds them open until it gets its answer. */
export function openPipes(pid: number, mask: number, fds: readonly number[]): Pipes {
  const [...numbers] = fds;
  const open = (flags: number): Socket => {
    const fd = openSync(`/proc/${pid}/fd/${numbers.shift()}`, flags | constants.O_NONBLOCK);
    const isReader = flags === constants.O_RDONLY;
    return new Socket({ fd, readable: isReader, writable: !isReader });
  };
  const pipes: Pipes = {};
  if (mask & 1) pipes.stdin = open(constants.O_WRONLY);
  if (mask & 2) pipes.stdout = open(constants.O_RDONLY);
  if (mask & 4) pipes.stderr = open(constants.O_RDONLY);
  return pipes;
}

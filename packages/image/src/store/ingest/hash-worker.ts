import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { createHasher, type Hasher } from '../../digest/hasher.ts';
import type { HashFailure, HashReply, HashRequest } from './hash-task.ts';

// A thread that hashes files while they grow: synchronous code, since it has nothing else to do.

/** Small enough to be still in the processor's cache when it is hashed. */
const BUFFER_BYTES = 256 * 1024;

const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const hashers = new Map<number, Hasher>();

parentPort?.on('message', (request: HashRequest) => {
  if (request.type === 'forget') {
    hashers.delete(request.id);
    return;
  }
  try {
    reply(answer(request));
  } catch (error) {
    reply({ type: 'failed', id: request.id, failure: failureOf(error) });
  }
});

function answer(request: Exclude<HashRequest, { readonly type: 'forget' }>): HashReply {
  const { type, id, algorithm } = request;
  const hasher = hashers.get(id) ?? createHasher(algorithm);
  hashers.set(id, hasher);
  if (type === 'digest') return { type, id, digest: hasher.copy().digest() };
  for (let position = request.start; position < request.end; ) {
    const length = Math.min(buffer.length, request.end - position);
    const bytesRead = readSync(request.fd, buffer, 0, length, position);
    // The file is shorter than what was written to it: somebody else cut it. The digest will say so.
    if (bytesRead === 0) break;
    hasher.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return { type, id };
}

function failureOf(error: unknown): HashFailure {
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  return { message, code, syscall };
}

function reply(message: HashReply): void {
  parentPort?.postMessage(message);
}

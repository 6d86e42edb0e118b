import { readSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createHasher, type Hasher } from '../../digest/hasher.ts';
import { createLaneHashing } from './hash-lanes.ts';
import type { HashModule } from './hash-module.ts';
import type { HashFailure, HashReply, HashRequest } from './hash-task.ts';

// A thread that hashes files while they grow: synchronous code, since it has nothing else to do.

/** Small enough to be still in the processor's cache when it is hashed. */
const BUFFER_BYTES = 256 * 1024;

const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
const hashers = new Map<number, Hasher>();
const module: unknown = workerData;
const lanes =
  typeof module === 'string' ? ((await import(module)) as HashModule).createSha256Lanes() : undefined;
const together = lanes === undefined ? undefined : createLaneHashing(lanes);

parentPort?.on('message', (request: HashRequest) => {
  accept(request);
  while (together?.isBusy === true) {
    together.step();
    // What was asked meanwhile is hashed beside the rest.
    for (let next = receive(); next !== undefined; next = receive()) accept(next);
  }
});

function receive(): HashRequest | undefined {
  return parentPort === null ? undefined : receiveMessageOnPort(parentPort)?.message;
}

function accept(request: HashRequest): void {
  const { type, id } = request;
  if (type === 'forget') {
    hashers.delete(id);
    together?.forget(id);
  } else if (together?.has(id) === true || (together !== undefined && isForLanes(request))) {
    if (type === 'digest') together.digest(id, (digest) => reply({ type, id, digest }));
    else together.read(id, { ...request, done: (error) => reply(answerTo(id, error)) });
  } else {
    try {
      reply(answer(request));
    } catch (error) {
      reply(answerTo(id, error));
    }
  }
}

/** Alone, a file is hashed faster by OpenSSL; which of the two it is stays as it begins. */
function isForLanes(request: HashRequest): boolean {
  return (
    request.type === 'read' &&
    request.hasCompany &&
    request.algorithm === 'sha256' &&
    !hashers.has(request.id)
  );
}

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

function answerTo(id: number, error: unknown): HashReply {
  return error === undefined ? { type: 'read', id } : { type: 'failed', id, failure: failureOf(error) };
}

function failureOf(error: unknown): HashFailure {
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  return { message, code, syscall };
}

function reply(message: HashReply): void {
  parentPort?.postMessage(message);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** The reason for which a connection is cut on purpose. */
export class Cut extends Error {
  constructor() {
    super('connection cut by a fault');
  }
}

/** The bytes of an answer as the fault lets them through. */
export async function* faultyBody(
  body: AsyncIterable<Uint8Array>,
  { fault, signal }: { readonly fault: Fault | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  switch (fault?.kind) {
    case 'truncate':
    case 'shorten':
      yield* upTo(body, fault.after);
      return;
    case 'corrupt':
      yield* corrupted(body, fault.at);
      return;
    case 'slow':
      yield* slowed(body, { bytesPerSecond: fault.bytesPerSecond, signal });
      return;
    case 'stall':
      yield* stalled(body, { ...fault, signal });
      return;
    default:
      yield* body;
  }
}

/** The first bytes of a body; returns whether there are more. */
export async function* upTo(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, boolean> {
  let left = limit;
  for await (const chunk of body) {
    if (chunk.length > left) {
      if (left > 0) yield chunk.subarray(0, left);
      return true;
    }
    yield chunk;
    left -= chunk.length;
  }
  return false;
}

async function* corrupted(body: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of body) {
    const position = at - offset;
    offset += chunk.length;
    if (position < 0 || position >= chunk.length) {
      yield chunk;
      continue;
    }
    const copy = Buffer.from(chunk);
    copy[position] = (copy[position] ?? 0) ^ 0xff;
    yield copy;
  }
}

async function* slowed(
  body: AsyncIterable<Uint8Array>,
  { bytesPerSecond, signal }: { readonly bytesPerSecond: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const step = Math.max(1, Math.ceil(bytesPerSecond / 20));
  for await (const chunk of body) {
    for (let start = 0; start < chunk.length; start += step) {
      const part = chunk.subarray(start, start + step);
      await sleep((part.length / bytesPerSecond) * 1000, undefined, { signal });
      yield part;
    }
  }
}

async function* stalled(
  body: AsyncIterable<Uint8Array>,
  { after, forMs, signal }: { readonly after: number; readonly forMs: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let paused = false;
  for await (const chunk of body) {
    const head = Math.min(Math.max(after - offset, 0), chunk.length);
    offset += chunk.length;
    if (paused || head === chunk.length) {
      yield chunk;
      continue;
    }
    if (head > 0) yield chunk.subarray(0, head);
    await sleep(forMs, undefined, { signal });
    paused = true;
    yield chunk.subarray(head);
  }
}

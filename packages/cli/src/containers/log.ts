import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import { logFileOf } from '../run/detached.ts';
import type { KnownContainer } from './collection.ts';
import { readRecord } from './record.ts';
import { isActive, statusOf } from './status.ts';

const chunkSize = 64 * 1024;
const newline = 10;

/** Pause between two looks at a log that grows, in milliseconds. */
const followPause = 100;

/** What to read of a log. */
export interface ReadLogOptions {
  /** Only so many lines at the end. */
  readonly tail?: number | undefined;
  /** Go on until the container has ended. */
  readonly follow?: boolean;
  readonly signal: AbortSignal;
}

/**
 * The output of a container that was started in the background, as it came: what it wrote to standard output and to
 * standard error, in one order. Throws ERR_OCI_CONTAINER_NO_LOG for one that ran in the foreground.
 */
export async function* readLog(
  container: KnownContainer,
  { tail, follow = false, signal }: ReadLogOptions,
): AsyncGenerator<Buffer> {
  await using file = await openLog(container);
  let position = tail === undefined ? 0 : await startOfTail(file, tail);
  for (;;) {
    // Asked before reading, so that nothing is missed that was written before the end.
    const isLast = !follow || (await hasEnded(container));
    for (;;) {
      signal.throwIfAborted();
      const buffer = Buffer.allocUnsafe(chunkSize);
      const { bytesRead } = await file.read(buffer, 0, chunkSize, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (isLast) return;
    await delay(followPause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function openLog(container: KnownContainer): Promise<FileHandle> {
  try {
    return await open(logFileOf(container), 'r');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    const { name } = container.record;
    throw new CliError('ERR_OCI_CONTAINER_NO_LOG', `container ${name} has no log`, {
      hint: 'only `oci run --detach` keeps the output; in the foreground it went to where `oci run` was started',
      cause: error,
    });
  }
}

async function hasEnded({ directory }: KnownContainer): Promise<boolean> {
  const record = await readRecord(directory);
  return record === undefined || !isActive((await statusOf(record)).state);
}

/** Where the last `count` lines begin; a last line without its end counts too. */
async function startOfTail(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  if (count === 0) return size;
  const buffer = Buffer.allocUnsafe(chunkSize);
  // The newline that ends the last line begins none.
  let missing = count;
  for (let end = Math.max(0, size - 1); end > 0; ) {
    const start = Math.max(0, end - chunkSize);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] === newline && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import {
  createEngineGunzip,
  createEngineUnzstd,
  createSyncDecompressor,
  decompress,
  detectReadableCompression,
  type OutputMemory,
  type ReadableCompression,
  type SyncDecompressor,
} from '@ocijs/image/compression';
import { createIsalInflater, createZstdDecompressor } from '@ocijs/linux';
import { contentSize, type LayerLimits, readSize, slotSize } from '../limits.ts';

/** Takes compressed bytes; what they contain goes to the receiver it was made for. */
export interface Inflater {
  push(chunk: Uint8Array): void | Promise<void>;
  /** Throws ERR_OCI_COMPRESSION_INVALID when the compressed bytes are cut off. */
  finish(): void | Promise<void>;
  /** True when it keeps the buffers of what was pushed. */
  readonly keepsInput: boolean;
}

/** Makes the inflater for a compression. */
export type InflaterFactory = (compression: ReadableCompression) => Inflater;

/** Enough bytes to know a compression by its first ones. */
const signatureBytes = 8;

/** An inflater that finds out about the compression itself: media types are wrong often enough. */
export function detectingInflater(create: InflaterFactory): Inflater {
  let start: Buffer = Buffer.of();
  let inflater: Inflater | undefined;
  function begin(): void | Promise<void> {
    inflater = create(detectReadableCompression(start));
    return inflater.push(start);
  }
  return {
    push(chunk) {
      if (inflater !== undefined) return inflater.push(chunk);
      start = Buffer.concat([start, chunk]);
      return start.length < signatureBytes ? undefined : begin();
    },
    async finish() {
      if (inflater === undefined) await begin();
      await inflater?.finish();
    },
    get keepsInput() {
      return inflater?.keepsInput === true;
    },
  };
}

/** What a layer may expand to. */
export interface InflaterOptions {
  readonly limits?: LayerLimits | undefined;
}

interface Expansion {
  readonly limit: number | undefined;
  readonly maxRatio: number | undefined;
}

interface StreamOptions {
  readonly onOutput: (chunk: Uint8Array) => void | Promise<void>;
  readonly expansion: Expansion;
}

function expansionOf(limits: LayerLimits = {}): Expansion {
  return { limit: limits.bytes, maxRatio: limits.ratio };
}

/** A synchronous inflater where there is one for the compression, else one on a stream. Chunks are only valid meanwhile. */
export function createInflater(
  compression: ReadableCompression,
  { onOutput, limits }: InflaterOptions & { readonly onOutput: (chunk: Uint8Array) => void },
): Inflater {
  const expansion = expansionOf(limits);
  const room = Buffer.allocUnsafeSlow(slotSize);
  const memory = { room: () => room, filled: (bytes: number) => onOutput(room.subarray(0, bytes)) };
  const engine = engineDecompressor(compression, { memory, expansion });
  if (engine !== undefined) return syncInflater(engine, { keepsInput: false });
  const decompressor = isRare(compression)
    ? undefined
    : createSyncDecompressor(compression, onOutput, expansion);
  return decompressor === undefined
    ? streamInflater(compression, { onOutput, expansion })
    : syncInflater(decompressor, { keepsInput: compression === 'none' });
}

/** Memory that content goes into, directly or by a copy. */
export interface ContentSink extends OutputMemory {
  write(content: Uint8Array): Promise<void>;
}

/** An inflater for a thread that does little else, whose output goes into memory that others take it from. */
export function createSinkInflater(
  compression: ReadableCompression,
  { sink, limits }: InflaterOptions & { readonly sink: ContentSink },
): Inflater {
  const expansion = expansionOf(limits);
  const engine = engineDecompressor(compression, { memory: sink, expansion });
  if (engine !== undefined) return syncInflater(engine, { keepsInput: false });
  return streamInflater(compression, { onOutput: (chunk) => sink.write(chunk), expansion });
}

/** A decompressor over a library of the system or of Node, if there is one for the compression. */
function engineDecompressor(
  compression: ReadableCompression,
  { memory, expansion }: { readonly memory: OutputMemory; readonly expansion: Expansion },
): SyncDecompressor | undefined {
  if (compression === 'gzip') {
    const engine = createIsalInflater();
    return engine && createEngineGunzip(engine, { memory, ...expansion });
  }
  const engine = compression === 'zstd' ? createZstdDecompressor() : undefined;
  return engine && createEngineUnzstd(engine, { memory, ...expansion });
}

function isRare(compression: ReadableCompression): compression is 'xz' | 'bzip2' {
  return compression === 'xz' || compression === 'bzip2';
}

function syncInflater(
  { push, finish }: SyncDecompressor,
  { keepsInput }: { readonly keepsInput: boolean },
): Inflater {
  return { push, finish, keepsInput };
}

/** node:zlib works in a thread of its own meanwhile. */
function streamInflater(compression: ReadableCompression, { onOutput, expansion }: StreamOptions): Inflater {
  const input = new PassThrough({ highWaterMark: readSize });
  const running = (async () => {
    for await (const chunk of decompress(input, { compression, chunkSize: contentSize, ...expansion })) {
      await onOutput(chunk);
    }
  })();
  // A failure is reported by the push or finish that waits for it.
  const failed = running.catch(() => undefined);
  return {
    push: async (chunk) => {
      if (!input.write(chunk)) await Promise.race([once(input, 'drain'), failed]);
      if (input.destroyed) await running;
    },
    finish: async () => {
      input.end();
      await running;
    },
    keepsInput: true,
  };
}

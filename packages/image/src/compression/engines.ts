import { createRequire } from 'node:module';

/** The inflater of zlib-sync; see its `index.d.ts`. */
export interface ZlibSyncInflate {
  /** Z_OK, Z_STREAM_END, or a negative code after a failure. */
  readonly err: number;
  /** A copy of what the last push made; null after a failure. */
  readonly result: Buffer | string | null;
  push(buffer: Buffer, flush: number): void;
}

/** The part of zlib-sync that is used. */
export interface ZlibSync {
  readonly Inflate: new (options: {
    readonly chunkSize: number;
    readonly windowBits: number;
  }) => ZlibSyncInflate;
  readonly Z_SYNC_FLUSH: number;
  readonly Z_STREAM_END: number;
  readonly Z_BUF_ERROR: number;
}

/** Which library inflates gzip layers synchronously. */
export interface InflateEngine {
  readonly name: 'zlib-sync' | 'node:zlib';
  /** Why it is not zlib-sync. */
  readonly reason?: string;
}

type Loaded = { readonly library: ZlibSync } | { readonly reason: string };

/** A gzip member with the one byte `a`. */
const probe: Buffer = Buffer.from('1f8b08000000000000034b040043beb7e801000000', 'hex');

/** gzip framing with the largest window: header and checksums are verified by the engine. */
const windowBits = 31;

/**
 * Layers that one thread inflates with zlib-sync. Each keeps some 100 KiB until the thread ends, and up to
 * 17 MiB when the layer was made for that.
 */
const maxInflaters = 32;

let loaded: Loaded | undefined;

/** Every inflater of this thread; see {@link createInflate}. */
const inflaters: ZlibSyncInflate[] = [];

/**
 * Says which engine layers are inflated with: zlib-sync, an optional dependency, when it is installed and was
 * built for this Node, else `node:zlib`. Loads it on the first call.
 */
export function inflateEngine(): InflateEngine {
  loaded ??= load();
  return 'library' in loaded ? { name: 'zlib-sync' } : { name: 'node:zlib', reason: loaded.reason };
}

/** zlib-sync, or undefined when it cannot be used, or was used so often in this thread that it holds much memory. */
export function zlibSync(): ZlibSync | undefined {
  loaded ??= load();
  return 'library' in loaded && inflaters.length <= maxInflaters ? loaded.library : undefined;
}

/**
 * Creates an inflater that lives as long as its thread. From 24.19 on, Node aborts the process when V8 collects
 * an addon's object of this kind outside of a context (https://github.com/nodejs/node/issues/65446), so none
 * may become garbage. Those that are still referenced are freed when the thread's environment ends, in order.
 */
export function createInflate(library: ZlibSync, chunkSize: number): ZlibSyncInflate {
  const inflate = new library.Inflate({ chunkSize, windowBits });
  inflaters.push(inflate);
  return inflate;
}

/** An addon built for another Node may fail in odd ways, so it has to prove itself on a known member. */
function load(): Loaded {
  try {
    const library: unknown = createRequire(import.meta.url)('zlib-sync');
    if (!isZlibSync(library)) return { reason: 'zlib-sync exports something unexpected' };
    const inflate = createInflate(library, 1024);
    inflate.push(probe, library.Z_SYNC_FLUSH);
    const isRight = inflate.err === library.Z_STREAM_END && inflate.result?.toString() === 'a';
    return isRight ? { library } : { reason: 'zlib-sync inflates a known stream wrongly' };
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

function isZlibSync(library: unknown): library is ZlibSync {
  return (
    typeof library === 'object' &&
    library !== null &&
    'Inflate' in library &&
    typeof library.Inflate === 'function' &&
    'Z_SYNC_FLUSH' in library &&
    'Z_STREAM_END' in library &&
    'Z_BUF_ERROR' in library
  );
}

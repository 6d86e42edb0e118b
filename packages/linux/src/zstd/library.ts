import { nodeLibrary } from '../library.ts';

/** The functions of zstd that are used. */
export interface ZstdFunctions {
  /** Memory that a decoder of frames with such windows needs, in bytes. */
  readonly stateSize: (windowBytes: number) => number;
  /** Makes a decoder at the beginning of memory of the caller, and returns where it is; 0 when the memory does not suffice. */
  readonly init: (memory: Uint8Array, size: number) => number;
  /** 0 at the end of a frame, and a negative code for an error (`zstd_errors.h`). */
  readonly run: (decoder: Uint8Array, output: Uint8Array, input: Uint8Array) => number;
  /** What a code means. */
  readonly describe: (code: number) => string;
  /** Where bytes lie in memory. The collector does not move them, but they must be kept alive. */
  readonly addressOf: (bytes: Uint8Array) => number;
}

let functions: ZstdFunctions | undefined;
let tried = false;

/**
 * Finds Node's own library, the one behind node:zlib; undefined where Node does not show its functions. The system's may not
 * be loaded beside it: what it calls of itself would be Node's, of another version.
 */
export function zstdFunctions(): ZstdFunctions | undefined {
  if (tried) return functions;
  tried = true;
  const library = nodeLibrary();
  if (library === undefined) return undefined;
  try {
    const stateSize = library.func('int64_t ZSTD_estimateDStreamSize(size_t windowSize)');
    const init = library.func('uint64_t ZSTD_initStaticDStream(void *workspace, size_t size)');
    const run = library.func('int64_t ZSTD_decompressStream(void *decoder, void *output, void *input)');
    const describe = library.func('const char *ZSTD_getErrorName(int64_t code)');
    // Copies nothing and returns its first argument.
    const move = library.libc('uint64_t memmove(void *to, const void *from, size_t length)');
    functions = {
      stateSize: (windowBytes) => stateSize(windowBytes),
      init: (memory, size) => init(memory, size),
      run: (decoder, output, input) => run(decoder, output, input),
      describe: (code) => String(describe(code)),
      addressOf: (bytes) => move(bytes, bytes, 0),
    };
  } catch {
    // A build of Node that hides them, or has none; two belong to zstd's interface for static linking, which may change.
    functions = undefined;
  }
  return functions;
}

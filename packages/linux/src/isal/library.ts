import { loadLibrary } from '../library.ts';

/** The functions of ISA-L that are used. */
export interface IsalFunctions {
  readonly init: (state: Uint8Array) => void;
  /** 0, or a negative code for a damaged stream. */
  readonly run: (state: Uint8Array) => number;
  /** Where bytes lie in memory. The collector does not move them, but they must be kept alive. */
  readonly addressOf: (bytes: Uint8Array) => number;
}

let functions: IsalFunctions | undefined;
let tried = false;

/** Loads the system's library by its name for the dynamic linker; undefined when there is none. */
export function isalFunctions(): IsalFunctions | undefined {
  if (tried) return functions;
  tried = true;
  const library = loadLibrary('libisal.so.2');
  if (library === undefined) return undefined;
  const init = library.func('void isal_inflate_init(void *state)');
  const run = library.func('int isal_inflate(void *state)');
  // Copies nothing and returns its first argument.
  const move = library.libc('uint64_t memmove(void *to, const void *from, size_t length)');
  functions = {
    init: (state) => void init(state),
    run: (state) => run(state),
    addressOf: (bytes) => move(bytes, bytes, 0),
  };
  return functions;
}

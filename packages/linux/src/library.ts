import { createRequire } from 'node:module';
import type { LibraryHandle } from 'koffi';
import { SystemCallError } from './errors.ts';
import { nameFromBytes, nameToBytes } from './names.ts';

type Koffi = typeof import('koffi');
type Argument = number | bigint | string | Uint8Array | readonly (string | null)[] | null;
/** A function of a library, which returns an integer. */
export type NativeFunction = (...values: Argument[]) => number;

/** A path or name: a string as in `names.ts`, or the bytes themselves. */
export type Path = string | Uint8Array;

interface Library {
  readonly koffi: Koffi;
  readonly libc: LibraryHandle;
}

let library: Library | undefined;

/**
 * Loads koffi and the libc that the process already has. It costs 2 to 10 ms, so it waits for the first call.
 * Every worker thread has its own module instance, hence its own handle.
 */
function load(): Library {
  if (library === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    library = { koffi, libc: koffi.load(null) };
  }
  return library;
}

/**
 * True when system calls can be made: Linux on x64 or arm64, and koffi loads. A platform that this says no to
 * makes every other function of the package throw.
 */
export function available(): boolean {
  if (process.platform !== 'linux' || !(process.arch === 'x64' || process.arch === 'arm64')) return false;
  try {
    load();
    return true;
  } catch {
    return false;
  }
}

/** The declaration of a libc function, such as `int close(int)`, bound at its first call. */
export function declare(prototype: string): NativeFunction {
  let bound: NativeFunction | undefined;
  return (...values) => {
    bound ??= load().libc.func(prototype) as NativeFunction;
    return bound(...values);
  };
}

/** The same for a function that waits: it is called in another thread, where errno is not seen. */
export function declareAsync(prototype: string): (...values: Argument[]) => Promise<number> {
  let bound: ReturnType<LibraryHandle['func']> | undefined;
  return (...values) => {
    bound ??= load().libc.func(prototype);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    bound.async(...values, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
    return promise;
  };
}

/** A shared library that need not be there. */
export interface OptionalLibrary {
  readonly func: (prototype: string) => NativeFunction;
  /** A function of libc, under its own declaration. */
  readonly libc: (prototype: string) => NativeFunction;
}

/** Loads a library by the name that the dynamic linker knows; undefined when it has none of this name. */
export function loadLibrary(name: string): OptionalLibrary | undefined {
  return findLibrary(({ koffi }) => koffi.load(name));
}

/** The libraries that are part of Node, as far as it shows their functions. */
export function nodeLibrary(): OptionalLibrary | undefined {
  return findLibrary(({ libc }) => libc);
}

function findLibrary(find: (library: Library) => LibraryHandle): OptionalLibrary | undefined {
  if (!available()) return undefined;
  const loaded = load();
  try {
    const found = find(loaded);
    return {
      func: (prototype) => found.func(prototype) as NativeFunction,
      libc: (prototype) => loaded.libc.func(prototype) as NativeFunction,
    };
  } catch {
    return undefined;
  }
}

/** The errno of the call that failed last. */
export function errnoOf(): number {
  return load().koffi.errno();
}

/** Throws {@link SystemCallError} when a call returned -1, and gives its result otherwise. */
export function check(
  result: number,
  call: { readonly syscall: string; readonly path?: Path | undefined },
): number {
  if (result >= 0) return result;
  throw new SystemCallError(call.syscall, { errno: load().koffi.errno(), path: printable(call.path) });
}

/**
 * The same where some failures are ordinary answers: undefined for these errnos. An error costs a hundred times what the call
 * does.
 */
export function checkUnless(
  result: number,
  {
    ordinary,
    ...call
  }: {
    readonly ordinary: readonly number[];
    readonly syscall: string;
    readonly path?: Path | undefined;
  },
): number | undefined {
  if (result >= 0) return result;
  const errno = load().koffi.errno();
  if (ordinary.includes(errno)) return undefined;
  throw new SystemCallError(call.syscall, { errno, path: printable(call.path) });
}

/**
 * A path as C wants it. Refuses NUL inside it, which C would take for the end.
 * koffi encodes well-formed strings itself, into memory that outlives the call.
 */
export function cString(path: Path, syscall: string): string | Uint8Array {
  const text = typeof path === 'string';
  if (text ? path.includes('\0') : path.includes(0)) {
    throw new SystemCallError(syscall, { errno: 22, path: printable(path) });
  }
  if (text && path.isWellFormed()) return path;
  return Buffer.concat([text ? nameToBytes(path) : path, Buffer.of(0)]);
}

function printable(path: Path | undefined): string | undefined {
  return path === undefined || typeof path === 'string' ? path : nameFromBytes(path);
}

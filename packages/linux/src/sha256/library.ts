import { loadLibrary } from '../library.ts';
import { sha256LibraryPath } from './place.ts';

/** The functions of native/sha256-lanes.c. */
export interface Sha256Functions {
  /** How many messages; 0 where it is of no use. */
  readonly lanes: () => number;
  readonly compress: (states: Uint8Array, data: Uint8Array, stride: number, blocks: number) => void;
}

/** Loads the library; undefined where there is none for this machine. */
export function sha256Functions(): Sha256Functions | undefined {
  const path = sha256LibraryPath();
  const library = path === undefined ? undefined : loadLibrary(path);
  if (library === undefined) return undefined;
  const compress = library.func(
    'void oci_sha256_compress(void *states, const void *data, uint64_t stride, uint64_t blocks)',
  );
  return {
    lanes: library.func('int oci_sha256_lanes(void)'),
    compress: (...values) => void compress(...values),
  };
}

/** Times that a compressed stream may grow by default once it has become larger than `EXPANSION_ALLOWANCE`. */
export const EXPANSION_RATIO_LIMIT = 1000;

/** The largest chunk that `decompress` yields unless told otherwise, in bytes. */
export const DECOMPRESSED_CHUNK_SIZE: number = 256 * 1024;

/** Bytes that a compressed stream may always expand to: a small stream of zeros is no attack. */
export const EXPANSION_ALLOWANCE: number = 64 * 1024 * 1024;

/** Base-2 logarithm of the memory that a zstd stream may ask for; `zstd -d` has the same limit. */
export const ZSTD_WINDOW_LOG_LIMIT = 27;

/** Memory that `xz` may take to decompress a stream, in bytes; `xz -9` needs 65 MiB. */
export const XZ_MEMORY_LIMIT: number = 128 * 1024 * 1024;

/** Characters that are kept of what a program says about a stream. */
export const PROGRAM_MESSAGE_LIMIT = 500;

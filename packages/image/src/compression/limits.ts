/** Times that a compressed stream may grow by default once it has become larger than `EXPANSION_ALLOWANCE`. */
export const EXPANSION_RATIO_LIMIT = 1000;

/** Bytes that a compressed stream may always expand to: a small stream of zeros is no attack. */
export const EXPANSION_ALLOWANCE: number = 64 * 1024 * 1024;

/** Base-2 logarithm of the memory that a zstd stream may ask for; `zstd -d` has the same limit. */
export const ZSTD_WINDOW_LOG_LIMIT = 27;

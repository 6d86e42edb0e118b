/** A Dockerfile, in bytes; Docker's own limit for what it sends to a frontend is of this order. */
export const MAX_DOCKERFILE_BYTES: number = 4 * 1024 * 1024;

/** An ignore file, in bytes. */
export const MAX_IGNORE_FILE_BYTES: number = 1024 * 1024;

/** What one word may grow to when its variables are replaced, in characters: variables that double each other are a bomb. */
export const MAX_EXPANDED_CHARACTERS: number = 4 * 1024 * 1024;

/** Braces within braces in one word. */
export const MAX_EXPANSION_DEPTH = 64;

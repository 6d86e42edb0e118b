/** A Dockerfile, in bytes; Docker's own limit for what it sends to a frontend is of this order. */
export const MAX_DOCKERFILE_BYTES: number = 4 * 1024 * 1024;

/** An ignore file, in bytes. */
export const MAX_IGNORE_FILE_BYTES: number = 1024 * 1024;

/** What one word may grow to when its variables are replaced, in characters: variables that double each other are a bomb. */
export const MAX_EXPANDED_CHARACTERS: number = 4 * 1024 * 1024;

/** Braces within braces in one word. */
export const MAX_EXPANSION_DEPTH = 64;

/** `/etc/passwd` and `/etc/group` of an image, in bytes each; larger ones count as missing. */
export const MAX_USER_DATABASE_BYTES: number = 4 * 1024 * 1024;

/** A line of a step's output, in characters; what is longer is shown in pieces. */
export const MAX_OUTPUT_LINE: number = 16 * 1024;

/** How many of its last lines a failed step is reported with. */
export const FAILURE_LINES = 20;

/** A file that `ADD` fetches, in bytes. */
export const MAX_REMOTE_BYTES: number = 64 * 1024 * 1024 * 1024;

/** `oci.lock`, in bytes. */
export const MAX_LOCK_BYTES: number = 16 * 1024 * 1024;

/** What a build context that comes as an archive may hold, in files and directories. */
export const MAX_CONTEXT_ENTRIES: number = 4 * 1024 * 1024;

/** A database of packages in an image, in bytes. */
export const MAX_PACKAGE_DATABASE_BYTES: number = 512 * 1024 * 1024;

/** A `package.json` of an image, in bytes. */
export const MAX_PACKAGE_JSON_BYTES: number = 4 * 1024 * 1024;

/** How much of a file is in memory while it is copied, in bytes. */
export const READ_BYTES: number = 256 * 1024;

/** The description of a cache from elsewhere, in bytes. */
export const MAX_CACHE_CONFIG_BYTES: number = 16 * 1024 * 1024;

/** Records, layers and mounts of a cache from elsewhere. */
export const MAX_CACHE_RECORDS = 100_000;

/** The lock file of npm, pnpm or yarn, in bytes. */
export const MAX_NODE_LOCK_BYTES: number = 64 * 1024 * 1024;

/** Packages that a Node project may have in `node_modules`. */
export const MAX_NODE_PACKAGES = 100_000;

/** Directories within directories in a package or an application. */
export const MAX_NODE_DIRECTORY_DEPTH = 256;

#!/usr/bin/env sh
// 2>/dev/null; exec node -- "$0" "$@"
//
// To a shell the line above is a program that is none, and then the start of this file by Node. `--` keeps Node from what it does
// with --env-file wherever that stands: it would load the file that is meant for a container into this process, and with it the
// NODE_OPTIONS that may be in there.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`error: oci needs Node.js 22.19 or later, and this is ${process.versions.node}\n`);
  process.exit(1);
}

// An import would have Node read all that these modules have, and load streams for it.
const { lstatSync, mkdirSync, readdirSync, statSync } = process.getBuiltinModule('node:fs');
const { enableCompileCache } = process.getBuiltinModule('node:module');
const { dirname } = process.getBuiltinModule('node:path');
const { fileURLToPath } = process.getBuiltinModule('node:url');

const cache = cacheDirectory();
if (cache !== undefined) enableCompileCache?.(cache);
const { main } = await import(isBundled() ? '../dist/bundle/main.js' : '../dist/main.js');
process.exit(await main(process.argv.slice(2)));

/**
 * Where compiled code is kept, if it can be kept safely: what is there is run, so that a directory that others can write
 * would let them run code as this user. That rules out Node's default below /tmp, another user's home, as under sudo,
 * and a home that others may write.
 */
function cacheDirectory() {
  const { XDG_CACHE_HOME, HOME } = process.env;
  const caches = XDG_CACHE_HOME || (HOME && `${HOME}/.cache`);
  const uid = process.getuid?.();
  if (!caches?.startsWith('/') || uid === undefined) return undefined;
  try {
    const parent = statSync(dirname(caches));
    const isShared = (parent.mode & 0o022) !== 0 && (parent.mode & 0o1000) === 0;
    if (isShared || ![uid, 0].includes(parent.uid) || !isPrivate(caches, uid)) return undefined;
    const own = `${caches}/oci`;
    mkdirSync(`${own}/compile`, { recursive: true, mode: 0o700 });
    return isPrivate(own, uid) && isPrivate(`${own}/compile`, uid) ? `${own}/compile` : undefined;
  } catch {
    // Without a cache it starts slower, and that is all: the directory is not there, or not ours to write.
    return undefined;
  }
}

/** A directory, and no link to one, of this user, that nobody else may write. */
function isPrivate(path, owner) {
  const { uid, mode } = lstatSync(path);
  return (mode & 0o170000) === 0o040000 && uid === owner && (mode & 0o022) === 0;
}

/** In a checkout whose modules were compiled after the bundle was made, it no longer says what they say. */
function isBundled() {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const bundled = statSync(`${root}dist/bundle/main.js`, { throwIfNoEntry: false })?.mtimeMs;
  if (bundled === undefined) return false;
  const builtAt = (path) => statSync(`${path}/dist/.tsbuildinfo`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (builtAt(root) === 0) return true;
  return readdirSync(`${root}..`).every((name) => builtAt(`${root}../${name}`) <= bundled);
}

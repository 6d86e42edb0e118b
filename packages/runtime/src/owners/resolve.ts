import { constants as system } from 'node:os';
import {
  answerOpenat,
  answerOpenat2,
  closeQuietly,
  constants,
  fileSystemOf,
  identityOf,
  linkOf,
} from '@ocijs/linux';

const { O_DIRECTORY, O_NOFOLLOW, O_PATH, PROC_SUPER_MAGIC, RESOLVE_BENEATH, RESOLVE_IN_ROOT } = constants;
const { S_IFLNK, S_IFMT } = constants;
const { EAGAIN, EXDEV } = system.errno;
const slash = 0x2f;

/** As the kernel: how many links a path may lead through. */
const linkLimit = 40;
/** How many names a path may have, those of the links on its way included. */
const nameLimit = 65_536;
/** How often the kernel is asked while somebody renames what the path leads through. */
const attempts = 8;

/** Where a path is looked up. */
export interface LookUp {
  /** Opens the caller's root directory as O_PATH, above which nothing is; below 0 when it cannot be. */
  readonly openRoot: () => number;
  /** The same for the directory in which a relative path begins. */
  readonly openStart: () => number;
  /** A link at the end is followed. */
  readonly follows: boolean;
}

/**
 * Opens a path, which ends with NUL, as O_PATH, as a process would whose root directory is this one: neither links nor `..` lead out
 * of it. Links that the kernel makes up, as /proc has them, lead nowhere: they would be followed with rights that are not the
 * caller's. Undefined when there is no such file for us; the kernel has the error for the caller.
 */
export function openWithin(path: Buffer, { openRoot, openStart, follows }: LookUp): number | undefined {
  const flags = O_PATH | (follows ? 0 : O_NOFOLLOW);
  const isAbsolute = path[0] === slash;
  const how = { flags, resolve: isAbsolute ? RESOLVE_IN_ROOT : RESOLVE_BENEATH };
  const start = isAbsolute ? openRoot() : openStart();
  if (start < 0) return undefined;
  let root = isAbsolute ? start : -1;
  try {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const fd = answerOpenat2(start, path, how);
      if (fd >= 0) return fd;
      // It leads up, which may still be below the root.
      if (fd === -EXDEV && !isAbsolute) break;
      if (fd !== -EAGAIN) return undefined;
    }
    if (root < 0) root = openRoot();
    return root < 0 ? undefined : walk(path.subarray(0, -1), { root, start, follows });
  } finally {
    closeQuietly(start);
    if (root !== start) closeQuietly(root);
  }
}

interface Walk {
  readonly root: number;
  readonly start: number;
  readonly follows: boolean;
}

/** Goes name by name, which the kernel does not do for a relative path in a root directory that is not ours. */
function walk(path: Buffer, { root, start, follows }: Walk): number | undefined {
  const top = identityOf(root)?.place;
  let names = namesOf(path);
  let current = path[0] === slash ? root : start;
  let links = 0;
  const leave = (): void => {
    if (current !== root && current !== start) closeQuietly(current);
  };
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? '';
    if (name === '..' && identityOf(current)?.place === top) continue;
    const isDirectory = name === '..' || name === '.';
    const next = answerOpenat(
      current,
      Buffer.from(`${name}\0`, 'latin1'),
      O_PATH | O_NOFOLLOW | (isDirectory ? O_DIRECTORY : 0),
    );
    const identity = next < 0 ? undefined : identityOf(next);
    const isLast = index === names.length - 1;
    const isLink = identity !== undefined && (identity.mode & S_IFMT) === S_IFLNK;
    if (!isLink || (isLast && !follows)) {
      leave();
      if (next < 0) return undefined;
      current = next;
      continue;
    }
    const target = fileSystemOf(next)?.magic === PROC_SUPER_MAGIC ? undefined : linkOf(next);
    closeQuietly(next);
    links += 1;
    names = [...namesOf(target ?? Buffer.alloc(0)), ...names.slice(index + 1)];
    if (target === undefined || links > linkLimit || names.length > nameLimit) {
      leave();
      return undefined;
    }
    if (target[0] === slash) {
      leave();
      current = root;
    }
    index = -1;
  }
  if (current !== root && current !== start) return current;
  const copy = answerOpenat(current, '.', O_PATH);
  return copy < 0 ? undefined : copy;
}

/** Names as text of one character per byte. What ends with a slash ends with a name that says it is a directory. */
function namesOf(path: Buffer): string[] {
  const text = path.toString('latin1');
  const names = text.split('/').filter((name) => name !== '');
  return text.endsWith('/') ? [...names, '.'] : names;
}

import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { BundleError } from '../../errors.ts';
import { symlinkLimit } from '../limits.ts';

/** `O_PATH`, which Node does not name: opens the name alone, so a fifo does not block and a device does nothing. */
const openPath = 0o10000000;

function denied(path: string, reason: string): BundleError {
  return new BundleError('ERR_OCI_UNPACK_DENIED', `${path} of the root file system ${reason}`, {
    path,
    hint: 'The image is broken or hostile; do not use it as it is.',
  });
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The way down from the root to the current directory, as open directories: `..` needs no lookup. */
class Descent {
  readonly #fds: number[];

  constructor(root: string) {
    this.#fds = [openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)];
  }

  childPath(name: string): string {
    return `/proc/self/fd/${this.#fds.at(-1)}/${name}`;
  }

  openChild(name: string): number {
    return openSync(this.childPath(name), openPath | constants.O_NOFOLLOW);
  }

  enter(fd: number): void {
    this.#fds.push(fd);
  }

  leave(): void {
    if (this.#fds.length > 1) closeSync(this.#fds.pop() as number);
  }

  leaveAll(): void {
    while (this.#fds.length > 1) this.leave();
  }

  close(): void {
    for (const fd of this.#fds.splice(0)) closeSync(fd);
  }
}

/** Walks to `path` inside the descent's root and returns an `O_PATH` descriptor of what is there. */
function openInRoot(descent: Descent, path: string): { fd: number; stats: Stats } {
  const pending = path.split('/').reverse();
  let symlinks = 0;
  while (pending.length > 0) {
    const name = pending.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      descent.leave();
      continue;
    }
    const fd = descent.openChild(name);
    try {
      const stats = fstatSync(fd);
      if (stats.isSymbolicLink()) {
        symlinks += 1;
        if (symlinks > symlinkLimit) throw denied(path, 'goes through too many symbolic links');
        const target = readlinkSync(descent.childPath(name));
        if (target.startsWith('/')) descent.leaveAll();
        pending.push(...target.split('/').reverse());
      } else if (stats.isDirectory()) {
        descent.enter(fd);
        continue;
      } else {
        if (pending.some((rest) => rest !== '' && rest !== '.')) {
          throw Object.assign(new Error(`not a directory: ${name}`), { code: 'ENOTDIR' });
        }
        return { fd, stats };
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
  throw denied(path, 'is a directory, not a file');
}

function readRegular(fd: number, limit: number, path: string): Buffer {
  const file = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY);
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const count = readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) return Buffer.concat(chunks, total);
      total += count;
      if (total > limit) throw denied(path, `is larger than ${limit} bytes`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a regular file of an untrusted root file system. Symbolic links are followed as the kernel would
 * with `root` as `/`, so that nothing outside is ever opened; a fifo, device or socket is never opened either.
 * Returns undefined when there is no such file. Throws ERR_OCI_UNPACK_DENIED for what is not a regular file
 * or larger than `limit` bytes, ERR_OCI_PLATFORM_UNSUPPORTED where the system is not Linux.
 */
export function readFileInRoot(
  root: string,
  path: string,
  options: { readonly limit: number },
): Buffer | undefined {
  if (process.platform !== 'linux') {
    throw new BundleError('ERR_OCI_PLATFORM_UNSUPPORTED', 'looking up users in a root needs Linux');
  }
  const descent = new Descent(root);
  let fd: number | undefined;
  try {
    const found = openInRoot(descent, path);
    fd = found.fd;
    if (!found.stats.isFile()) throw denied(path, 'is not a regular file');
    return readRegular(fd, options.limit, path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
    descent.close();
  }
}

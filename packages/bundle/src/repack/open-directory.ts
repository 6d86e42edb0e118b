import * as linux from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY } = linux.constants;

/** An open directory, and what closing it puts right. */
export interface OpenDirectory extends Disposable {
  readonly fd: number;
}

/** How directories and files are opened. */
export interface OpenOptions {
  /** Whose permissions keep their owner out are opened up meanwhile: an ordinary user has no other way in. */
  readonly unlock: boolean;
}

/** Opens a directory to read and search it; never a link to one. */
export function openDirectory(directory: number, name: string, { unlock }: OpenOptions): OpenDirectory {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  const locked = unlock ? lockedMode(directory, name, 0o700) : undefined;
  if (locked !== undefined) setMode(directory, name, locked | 0o700);
  const fd = linux.openat(directory, name, { flags });
  return {
    fd,
    [Symbol.dispose]: () => {
      if (locked !== undefined) linux.fchmod(fd, { mode: locked });
      linux.close(fd);
    },
  };
}

/** Opens a file to read it; never a link to one, and without waiting for the other end of a fifo. */
export function openFile(directory: number, name: string, { unlock }: OpenOptions): number {
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  try {
    return linux.openat(directory, name, { flags });
  } catch (error) {
    const locked = unlock && hasErrno(error, 'EACCES') ? lockedMode(directory, name, 0o400) : undefined;
    if (locked === undefined) throw error;
    setMode(directory, name, locked | 0o400);
    const fd = linux.openat(directory, name, { flags });
    linux.fchmod(fd, { mode: locked });
    return fd;
  }
}

/** The mode of what its owner may not use as needed; undefined when there is nothing to unlock. */
function lockedMode(directory: number, name: string, needed: number): number | undefined {
  const { mode } = linux.fstatat(directory, name, { flags: linux.constants.AT_SYMLINK_NOFOLLOW });
  return (mode & needed) === needed ? undefined : mode & 0o7777;
}

function setMode(directory: number, name: string, mode: number): void {
  const fd = linux.openat(directory, name, { flags: O_PATH | O_NOFOLLOW });
  try {
    linux.fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, { mode });
  } finally {
    linux.close(fd);
  }
}

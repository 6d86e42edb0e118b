import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildSource } from '@ocijs/build';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';

export interface LockFlags {
  readonly lock: boolean;
  readonly locked: boolean;
  readonly 'lock-file'?: string | undefined;
}

/** What a build does about its lock file. */
export interface BuildLock {
  /** What the sources have to be. */
  readonly locked: readonly BuildSource[] | undefined;
  /** Notes what was used, if that is wanted. */
  update(used: readonly BuildSource[]): Promise<void>;
}

/** Reads the lock file that the flags ask for: `oci.lock` of the context, or of this directory where that is elsewhere. Throws ERR_OCI_USAGE. */
export async function openLock(flags: LockFlags, directory: string | undefined): Promise<BuildLock> {
  if (!flags.lock && !flags.locked) return { locked: undefined, update: async () => undefined };
  const { formatLock, parseLock, updateLock } = await import('@ocijs/build');
  const file = flags['lock-file'] ?? join(directory ?? '.', 'oci.lock');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw usageError(`${file} cannot be read: ${systemMeaning(error)}`);
  });
  if (flags.locked) {
    if (text === undefined) throw usageError(`there is no ${file}`, 'write it with `oci build --lock`');
    return { locked: parseLock(text), update: async () => undefined };
  }
  const known = text === undefined ? [] : parseLock(text);
  return {
    locked: undefined,
    update: async (used) => {
      const updated = formatLock(updateLock(known, used));
      if (updated === text) return;
      const partial = `${file}.partial`;
      try {
        await writeFile(partial, updated);
        await rename(partial, file);
      } finally {
        await rm(partial, { force: true });
      }
    },
  };
}

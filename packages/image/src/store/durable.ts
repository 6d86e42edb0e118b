import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';

/** Makes the names in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory, and needs no such step.
  if (process.platform === 'win32') return;
  const handle = await open(directory, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where and how {@link replaceFile} writes. */
export interface ReplaceFileOptions {
  /** Beside which file the new bytes are collected; on the same file system. Only one writer at a time. */
  readonly temporary: string;
  readonly mode: number;
  /** Called when the new file is complete, before it takes its place; may throw. */
  readonly beforeRename?: () => Promise<void>;
}

/** Replaces a file in one step: readers see the old bytes or the new ones, also after a power cut. */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  { temporary, mode, beforeRename }: ReplaceFileOptions,
): Promise<void> {
  // What a killed writer left is removed and the file created anew: never follows a link, never shares an inode.
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await beforeRename?.();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

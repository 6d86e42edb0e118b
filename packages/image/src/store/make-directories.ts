import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './failure.ts';

/**
 * Makes a directory and those above it; nothing happens when it is there. Unlike `mkdir` with `recursive` it ends where
 * nothing can be made although the directory above is there, as in /proc: Node tries that for ever.
 */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && (await isDirectory(path))) return;
    const above = dirname(path);
    if (errno !== 'ENOENT' || above === path || (await isDirectory(above))) throw error;
    await makeDirectories(above, mode);
    await makeDirectories(path, mode);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

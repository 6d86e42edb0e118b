import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './failure.ts';

/**
 * Makes a directory and those above it; nothing happens when it is there. Unlike `mkdir` with `recursive` it ends where
 * nothing can be made although the directory above is there, as in /proc: Node tries that for ever.
 */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await makeDirectory(path, mode);
  } catch (error) {
    const above = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || above === path) throw error;
    if (!(await isDirectory(above))) await makeDirectories(above, mode);
    // Once more too where the directory above is there: another process may just have made it.
    await makeDirectory(path, mode);
  }
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !(await isDirectory(path))) throw error;
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

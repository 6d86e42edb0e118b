import { readdir } from 'node:fs/promises';
import { errnoOf } from './failure.ts';

/** The names in a directory; none when there is no such directory. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

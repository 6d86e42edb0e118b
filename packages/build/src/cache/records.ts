import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A record of a result is small; more is damage. */
const MAX_RECORD_CHARACTERS = 64 * 1024;

/** Reads a small JSON file of the cache; undefined when it is missing or damaged, since what it tells can be found out again. */
export async function readRecord(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text === '' || text.length > MAX_RECORD_CHARACTERS) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // What was half written when the power went is as good as missing.
    return undefined;
  }
}

/** Writes such a file; a reader sees the old one or the new one. */
export async function writeRecord(path: string, record: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

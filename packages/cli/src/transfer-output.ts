import { usageError } from './errors.ts';
import { write } from './render/json.ts';

/** Where an archive goes: a file, or standard output for `-`, which must not be a terminal. */
export function archiveOutput(file: string): string | ((chunk: Uint8Array) => Promise<void>) {
  if (file !== '-') return file;
  if (process.stdout.isTTY)
    throw usageError('standard output is a terminal', 'name a file, or pipe it into a program');
  return write;
}

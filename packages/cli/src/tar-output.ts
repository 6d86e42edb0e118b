import { open, rename, rm, stat } from 'node:fs/promises';
import { usageError } from './errors.ts';
import { write } from './render/json.ts';

/** Writes an archive to a file, or to standard output for `-`; a file appears complete or not at all. Returns its size. */
export async function writeTarOutput(tar: AsyncIterable<Uint8Array>, file: string): Promise<number> {
  let bytes = 0;
  if (file === '-') {
    for await (const chunk of tar) await write(chunk);
    return bytes;
  }
  const partial = `${file}.partial`;
  if ((await stat(file).catch(() => undefined))?.isDirectory())
    throw usageError(`${file} is a directory`, 'name the file to write');
  try {
    await using handle = await open(partial, 'w');
    for await (const chunk of tar) {
      await handle.writeFile(chunk);
      bytes += chunk.length;
    }
    await rename(partial, file);
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

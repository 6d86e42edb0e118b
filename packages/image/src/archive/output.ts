import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { errnoOf } from '../store/failure.ts';
import { onArchive } from './failure.ts';

/** Takes bytes one chunk after the other; resolves when the next one may come. */
export type WriteChunk = (chunk: Uint8Array) => Promise<void>;

/** Where an archive is written to: a file, or what takes its bytes, such as standard output. */
export type ArchiveOutput = string | WriteChunk;

/** A file under way. */
export interface OutputFile extends AsyncDisposable {
  readonly write: WriteChunk;
  /** Puts the file in its place. Without it, disposing leaves what was there before. */
  commit(): Promise<void>;
}

/**
 * Opens an output. A file is written beside its place, and takes it when it is complete; a device or pipe is written to.
 * Throws ERR_OCI_ARCHIVE_FAILED for a directory.
 */
export async function openOutput(output: ArchiveOutput): Promise<OutputFile> {
  if (typeof output !== 'string')
    return { write: output, commit: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  return onArchive(output, async () =>
    (await isSpecial(output)) ? openSpecial(output) : openBeside(output),
  );
}

async function openSpecial(path: string): Promise<OutputFile> {
  const handle = await open(path, 'w');
  return {
    write: (chunk) => onArchive(path, () => handle.writeFile(chunk)),
    commit: async () => undefined,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function openBeside(path: string): Promise<OutputFile> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.partial`;
  const handle = await open(temporary, 'wx');
  let state: 'open' | 'closed' | 'placed' = 'open';
  const close = async (file: FileHandle): Promise<void> => {
    if (state === 'open') await file.close();
    if (state === 'open') state = 'closed';
  };
  return {
    write: (chunk) => onArchive(path, () => handle.appendFile(chunk)),
    commit: () =>
      onArchive(path, async () => {
        await handle.datasync();
        await close(handle);
        await rename(temporary, path);
        state = 'placed';
      }),
    async [Symbol.asyncDispose]() {
      await close(handle);
      if (state !== 'placed') await rm(temporary, { force: true });
    },
  };
}

/** Whether a path is to be opened itself, which fails for a directory. */
async function isSpecial(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    return !found.isFile();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

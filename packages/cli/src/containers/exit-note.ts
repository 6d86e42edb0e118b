import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../exit-codes.ts';

/** In the directory of a container that somebody waits for. */
const fileName = 'exit-code';

/** A place for the exit code of a container that may be removed at its end; disposing closes it. */
export interface ExitNote extends AsyncDisposable {
  /** The code, once {@link leaveExitNote} wrote it, also after the container's directory was removed. */
  read(): Promise<number | undefined>;
}

/** Asks for a container's exit code; undefined when the container was removed already. */
export async function askForExitNote(directory: string): Promise<ExitNote | undefined> {
  const file = await openIfThere(join(directory, fileName), 'a+');
  if (file === undefined) return undefined;
  return {
    async read() {
      const buffer = Buffer.alloc(16);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const text = /^\d+(?=\n)/.exec(buffer.toString('latin1', 0, bytesRead))?.[0];
      return text === undefined ? undefined : Number(text);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Leaves the exit code of a container that is about to be removed to those who asked for it. */
export async function leaveExitNote(directory: string, exitCode: number): Promise<void> {
  // Without this file nobody waits.
  await using file = await openIfThere(join(directory, fileName), 'r+');
  await file?.write(`${exitCode}\n`, 0);
}

async function openIfThere(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

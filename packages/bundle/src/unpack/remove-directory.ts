import { randomUUID } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { constants, openat, renameat } from '@ocijs/linux';
import { hasErrno } from '../rootfs/failure.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import type { NamedEntry, RootfsOperations } from '../rootfs/operations.ts';

const { AT_FDCWD, O_DIRECTORY, O_PATH } = constants;

/** How many names may go before others get a turn. */
const namesInTurn = 2_000;

/** How many directories are open at once: a container may have made them deeper than a process may have descriptors. */
const mostOpen = 128;

/**
 * Removes a directory with everything in it, also with directories that keep their owner out; fine when there is none. From
 * descriptor to descriptor: no link is followed, whatever takes the place of a directory meanwhile.
 */
export async function removeDirectoryTree(path: string): Promise<void> {
  const parent = openParent(path);
  if (parent === undefined) return;
  const operations = linuxOperations();
  const entry = { directory: parent, name: basename(path) };
  try {
    await remove(operations, entry);
  } catch (error) {
    // Somebody has just made something in it.
    if (!hasErrno(error, 'ENOTEMPTY')) throw error;
    await remove(operations, entry);
  } finally {
    operations.close(parent);
  }
}

function openParent(path: string): number | undefined {
  try {
    return openat(AT_FDCWD, dirname(path), { flags: O_PATH | O_DIRECTORY });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function remove(operations: RootfsOperations, top: NamedEntry): Promise<void> {
  let names = 0;
  let topDirectory = -1;
  /** Names in the top that directories were given which lay deep below it. */
  const raised: string[] = [];

  async function removeEntry(entry: NamedEntry, depth: number): Promise<void> {
    const status = operations.status(entry);
    if (status === undefined) return;
    names += 1;
    if (names % namesInTurn === 0) await turn();
    if (status.kind !== 'directory') return ifThere(() => operations.remove(entry));
    if ((status.mode & 0o700) !== 0o700) operations.setMode(entry, 0o700);
    if (depth === mostOpen) return ifThere(() => raise(entry));
    const directory = operations.openDirectory(entry.directory, entry.name);
    if (depth === 0) topDirectory = directory;
    try {
      for (const name of operations.list(directory)) await removeEntry({ directory, name }, depth + 1);
      if (depth === 0)
        for (let name = raised.pop(); name !== undefined; name = raised.pop())
          await removeEntry({ directory, name }, 1);
    } finally {
      operations.close(directory);
    }
    ifThere(() => operations.removeDirectory(entry));
  }

  function raise({ directory, name }: NamedEntry): void {
    const path = `.removed-${randomUUID()}`;
    renameat({ directory, path: name }, { directory: topDirectory, path });
    raised.push(path);
  }

  await removeEntry(top, 0);
}

/** Others may remove the same. */
function ifThere(effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

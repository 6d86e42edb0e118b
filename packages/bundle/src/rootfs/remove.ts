import type { NamedEntry, RootfsOperations } from './operations.ts';

/**
 * Removes a name and everything below it, descriptor by descriptor: links are removed, never followed.
 * With `unlock`, directories that keep their owner out are opened first. A missing name is fine.
 */
export function removeTree(
  operations: RootfsOperations,
  entry: NamedEntry,
  options: { readonly unlock: boolean },
): void {
  if (operations.removeTree !== undefined) {
    operations.removeTree(entry, options);
    return;
  }
  const status = operations.status(entry);
  if (status === undefined) return;
  if (status.kind !== 'directory') {
    operations.remove(entry);
    return;
  }
  if (options.unlock && (status.mode & 0o700) !== 0o700) operations.setMode(entry, 0o700);
  const directory = operations.openDirectory(entry.directory, entry.name);
  try {
    for (const name of operations.list(directory)) removeTree(operations, { directory, name }, options);
  } finally {
    operations.close(directory);
  }
  operations.removeDirectory(entry);
}

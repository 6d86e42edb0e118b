import type { TarWriteEntry } from '@ocijs/image';

/**
 * The entries without the empty files and directories that the runtime made because something is mounted there; a
 * directory that more was put into stays.
 */
export function* withoutMountPoints(
  entries: Iterable<TarWriteEntry>,
  points: ReadonlySet<string>,
): Generator<TarWriteEntry, void, undefined> {
  let held: { readonly path: string; readonly entry: TarWriteEntry }[] = [];
  for (const entry of entries) {
    const path = entry.header.name.replace(/\/$/, '');
    held = held.filter((parent) => path.startsWith(`${parent.path}/`));
    if (points.has(path)) {
      if (entry.header.type === 'directory') held.push({ path, entry });
      continue;
    }
    yield* held.map((parent) => parent.entry);
    held = [];
    yield entry;
  }
}

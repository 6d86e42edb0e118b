import { type EntryContext, namedEntry } from './entry-context.ts';
import { findDirectory } from './parents.ts';
import { removeTree } from './remove.ts';

/**
 * Makes place for the entry: whatever has its name goes, except that a directory stays for a directory.
 * With `keepDirlinks`, a link to a directory stays for a directory too, and ends the entry. In a directory that this
 * layer made there is mostly nothing, so that it is looked at when creating the entry fails.
 */
export function clobber(entry: EntryContext): 'done' | undefined {
  const { layer, parent, path } = entry;
  if (path.length === 0) {
    entry.reused = true;
    return undefined;
  }
  layer.tree.touch(parent);
  return parent.created ? undefined : clobberExisting(entry);
}

/** The same for an entry whose parent is prepared. */
export function clobberExisting(entry: EntryContext): 'done' | undefined {
  const { layer, parent, base, header, path } = entry;
  const { operations, tree } = layer;
  const existing = operations.status(namedEntry(entry));
  if (existing === undefined) return undefined;
  if (header.type === 'directory') {
    if (existing.kind === 'directory') {
      entry.reused = true;
      return undefined;
    }
    const keep =
      layer.keepDirlinks && existing.kind === 'symlink' && findDirectory(layer, path) !== undefined;
    if (keep) return 'done';
  }
  removeTree(operations, namedEntry(entry), { unlock: layer.rootless });
  tree.forget(parent, base);
  return undefined;
}

import type { TarEntry } from '@ocijs/image';
import type { DirectoryNode } from './directory-tree.ts';
import type { LayerContext } from './layer-context.ts';
import type { MetadataTarget, NamedEntry } from './operations.ts';

/** What the steps of one entry know; each step adds what it found out. */
export interface EntryContext {
  readonly layer: LayerContext;
  readonly header: TarEntry;
  /** Cleaned components of the name; empty for the root. */
  readonly path: readonly string[];
  /** The last component, or `.` for the root. */
  readonly base: string;
  /** The directory that the entry is in, or the root itself; real once it is resolved. */
  parent: DirectoryNode;
  /** The directory that the entry is, once it is there. */
  directory: DirectoryNode | undefined;
  /** Where a hard link leads. */
  linkSource: { readonly node: DirectoryNode; readonly name: string } | undefined;
  /** A directory that was there before, with metadata of its own. */
  reused: boolean;
  /** It was made with nothing inherited: there are no attributes to remove. */
  fresh: boolean;
  /** It was made with its owner and its mode. */
  settled: boolean;
  /** The open file, until its content is complete. */
  fd: number | undefined;
}

/** The entry by its name. The descriptor in it is good for the next effect only. */
export function namedEntry({ layer, parent, base }: EntryContext): NamedEntry {
  return { directory: layer.tree.open(parent), name: base };
}

/** What the entry's metadata is set on. */
export function metadataTarget(entry: EntryContext): MetadataTarget {
  return entry.fd === undefined ? namedEntry(entry) : { fd: entry.fd };
}

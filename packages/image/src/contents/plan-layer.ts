import type { TarWriterEntry } from '../tar/writer-entry.ts';
import type { TreeChange } from './compare-trees.ts';
import { bytesOfText, entryLinkname } from './names.ts';
import { type Inode, isDirectory, type TreeNode } from './tree.ts';

/** One entry of a layer to write; with `content`, that file's bytes are its body. */
export interface PlannedEntry {
  readonly header: TarWriterEntry;
  readonly content?: Inode;
  /** The file that a hard link belongs to: must come after it. */
  readonly linkTo?: Inode;
}

/** Options of {@link planLayer}. */
export interface PlanLayerOptions {
  /** No time is later than this, in nanoseconds since 1970 (`SOURCE_DATE_EPOCH`). */
  readonly clampNs?: bigint | undefined;
}

/**
 * The entries of a layer that makes the changes, in their order: each directory, what it hides of the layers below, and
 * what is in it, by the bytes of the names. Owners have no names, and nothing but the modification time is kept.
 */
export function planLayer(
  changes: readonly TreeChange[],
  { clampNs }: PlanLayerOptions = {},
): readonly PlannedEntry[] {
  const entries: PlannedEntry[] = [];
  const firstNames = new Map<Inode, string>();
  const opaque = opaqueDirectories(changes);
  for (const change of changes) {
    const { path } = change;
    const slash = path.lastIndexOf('/');
    const parent = path.slice(0, Math.max(slash, 0));
    if (change.kind === 'removed') {
      const hidden = opaque.get(parent);
      if (hidden === undefined) entries.push(whiteout(parent, `.wh.${path.slice(slash + 1)}`));
      else if (hidden === path) entries.push(whiteout(parent, '.wh..wh..opq'));
      continue;
    }
    const { inode } = change.after;
    const first = firstNames.get(inode);
    if (first !== undefined) {
      const linkname = named(first);
      entries.push({
        header: {
          ...named(path),
          type: 'link',
          linkname: linkname.name,
          linknameBytes: linkname.nameBytes,
          ...metadataOf(inode, clampNs),
          xattrs: new Map(),
        },
        linkTo: inode,
      });
      continue;
    }
    if (!isDirectory(change.after)) firstNames.set(inode, path);
    entries.push(entryOf(change.after, { path, clampNs }));
  }
  return entries;
}

/** The header that writes a file under a path. */
function entryOf(
  { inode }: TreeNode,
  { path, clampNs }: { readonly path: string; readonly clampNs: bigint | undefined },
): PlannedEntry {
  const { header } = inode;
  const name = header.type === 'directory' ? `${path === '' ? '.' : path}/` : path;
  const linkname = header.type === 'symlink' ? named(entryLinkname(header)) : undefined;
  const entry: TarWriterEntry = {
    ...named(name),
    type: header.type,
    ...(linkname === undefined ? {} : { linkname: linkname.name, linknameBytes: linkname.nameBytes }),
    size: header.size,
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: header.xattrs,
    ...metadataOf(inode, clampNs),
  };
  return header.type === 'file' && header.size > 0 ? { header: entry, content: inode } : { header: entry };
}

function metadataOf(
  { header }: Inode,
  clampNs: bigint | undefined,
): Pick<TarWriterEntry, 'mode' | 'uid' | 'gid' | 'mtimeNs'> {
  const { mode, uid, gid, mtimeNs } = header;
  return { mode, uid, gid, mtimeNs: clampNs !== undefined && mtimeNs > clampNs ? clampNs : mtimeNs };
}

function named(text: string): { readonly name: string; readonly nameBytes: Uint8Array | undefined } {
  return { name: text, nameBytes: text.isWellFormed() ? undefined : bytesOfText(text) };
}

function whiteout(parent: string, base: string): PlannedEntry {
  return { header: { ...named(parent === '' ? base : `${parent}/${base}`), mode: 0o600, size: 0 } };
}

/**
 * Directories that nothing remains in of what was there, more than one name, with the first of these names: one marker
 * hides them all.
 */
function opaqueDirectories(changes: readonly TreeChange[]): ReadonlyMap<string, string> {
  const removed = new Map<string, { first: string; count: number; of: number }>();
  for (const change of changes) {
    if (change.kind !== 'removed') continue;
    const { path, before } = change;
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    const known = removed.get(parent);
    if (known === undefined)
      removed.set(parent, { first: path, count: 1, of: before.parent?.children?.size ?? 0 });
    else known.count += 1;
  }
  return new Map(
    [...removed]
      .filter(([, { count, of }]) => count > 1 && count === of)
      .map(([parent, { first }]) => [parent, first]),
  );
}

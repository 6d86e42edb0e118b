import { type FileVersion, type HistoryNode, storedSize, textOfBytes, walkHistory } from '@ocijs/image';
import { differenceNames, fileTypes, type PackedTree, versionKinds } from '../model/report.ts';

/** A tree in columns, and where in it a path is. */
export interface TreePacking {
  readonly packed: PackedTree;
  /** The index of a path without a leading slash; throws for one that is not there. */
  nodeOf(path: string): number;
}

type Columns = { -readonly [Key in keyof PackedTree]: PackedTree[Key][number][] };

/** Packs what became of the files of an image. */
export function packTree(history: HistoryNode): TreePacking {
  const columns: Columns = {
    names: [],
    depths: [],
    counts: [],
    layers: [],
    kinds: [],
    differences: [],
    types: [],
    sizes: [],
    modes: [],
    uids: [],
    gids: [],
    times: [],
    links: [],
    groups: [],
    attributes: [],
  };
  const indexes = new Map<HistoryNode, number>();
  const depths = new Map<HistoryNode, number>();
  const groups = groupLinks(history);
  for (const node of walkHistory(history)) {
    const depth = node.parent === undefined ? 0 : (depths.get(node.parent) ?? 0) + 1;
    if (node.children.size > 0) depths.set(node, depth);
    indexes.set(node, columns.names.length);
    columns.names.push(node.name);
    columns.depths.push(depth);
    columns.counts.push(node.versions.length);
    for (const version of node.versions) packVersion(columns, version, groups);
  }
  return {
    packed: columns,
    nodeOf(path) {
      let node: HistoryNode | undefined = history;
      for (const name of path.split('/')) node = node?.children.get(name);
      const index = node === undefined ? undefined : indexes.get(node);
      if (index === undefined) throw new TypeError(`the tree has no ${path}`);
      return index;
    },
  };
}

type Groups = ReadonlyMap<FileVersion['inode'], number>;

function packVersion(
  columns: Columns,
  { layer, kind, differences, inode }: FileVersion,
  groups: Groups,
): void {
  const version = columns.layers.length;
  const isThere = kind !== 'removed';
  const { header } = inode;
  columns.layers.push(layer);
  columns.kinds.push(versionKinds.indexOf(kind));
  columns.differences.push(
    differences.reduce((bits, difference) => bits | (1 << differenceNames.indexOf(difference)), 0),
  );
  columns.types.push(isThere ? fileTypes.indexOf(header.type) : 0);
  columns.sizes.push(isThere ? storedSize(header) : 0);
  columns.modes.push(isThere ? header.mode : 0);
  columns.uids.push(isThere ? header.uid : 0);
  columns.gids.push(isThere ? header.gid : 0);
  columns.times.push(isThere ? Number(header.mtimeNs / 1_000_000_000n) : 0);
  if (!isThere) return;
  if (header.type === 'symlink') {
    const { linkname, linknameBytes } = header;
    columns.links.push([version, linknameBytes === undefined ? linkname : textOfBytes(linknameBytes)]);
  }
  const group = groups.get(inode);
  if (group !== undefined) columns.groups.push([version, group]);
  if (header.xattrs.size > 0) columns.attributes.push([version, [...header.xattrs.keys()]]);
}

/** Numbers, from 1, the files that have more than one name. */
function groupLinks(history: HistoryNode): Groups {
  const seen = new Set<FileVersion['inode']>();
  const groups = new Map<FileVersion['inode'], number>();
  for (const { versions } of walkHistory(history)) {
    for (const { kind, inode } of versions) {
      if (kind === 'removed' || inode.header.type === 'directory') continue;
      if (seen.has(inode) && !groups.has(inode)) groups.set(inode, groups.size + 1);
      seen.add(inode);
    }
  }
  return groups;
}

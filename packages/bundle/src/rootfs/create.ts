import { clobberExisting } from './clobber.ts';
import { type EntryContext, namedEntry } from './entry-context.ts';
import { entryLinkname } from './entry-path.ts';
import { hasErrno } from './failure.ts';
import { ownerOf } from './metadata.ts';
import type { NodeKind } from './operations.ts';

/**
 * Creates what the entry is, and whatever has its name goes. Until its metadata is applied it has its own mode already,
 * or no permission for anyone but the owner.
 */
export function createEntry(entry: EntryContext): 'done' | undefined {
  try {
    create(entry);
  } catch (error) {
    if (!entry.parent.created || !hasErrno(error, 'EEXIST')) throw error;
    if (clobberExisting(entry) === 'done') return 'done';
    create(entry);
  }
  return undefined;
}

function create(entry: EntryContext): void {
  const { layer, header, parent, base, path } = entry;
  const { operations, tree } = layer;
  entry.fresh = !entry.reused && path.length > 0 && tree.isPlain(parent);
  entry.settled = entry.fresh && canSettle(entry);
  const mode = entry.settled ? header.mode : undefined;
  switch (header.type) {
    case 'directory':
      if (!entry.reused) operations.makeDirectory(namedEntry(entry), mode);
      entry.directory = path.length === 0 ? tree.root : tree.adopt(parent, base, { created: !entry.reused });
      return;
    case 'file':
      entry.fd = operations.createFile(namedEntry(entry), mode);
      return;
    case 'symlink':
      operations.makeSymlink(namedEntry(entry), entryLinkname(header));
      return;
    case 'link':
      makeLink(entry);
      return;
    case 'fifo':
      operations.makeNode(namedEntry(entry), { type: 'fifo', major: 0, minor: 0 });
      return;
    default:
      makeDevice(entry, { type: header.type, major: header.deviceMajor, minor: header.deviceMinor });
  }
}

/** Whether the entry can be made as it is to be; set-id bits would not survive the writing of content everywhere. */
function canSettle({ layer, header }: EntryContext): boolean {
  const { creator } = layer.operations;
  if (creator === undefined) return false;
  const owner = layer.rootless ? creator : ownerOf(layer, header);
  if (owner.uid !== creator.uid || owner.gid !== creator.gid) return false;
  if (header.type === 'symlink') return true;
  if (header.type === 'directory') return (header.mode & 0o7000) === 0 && (header.mode & 0o700) === 0o700;
  return header.type === 'file' && (header.mode & 0o7000) === 0;
}

function makeLink(entry: EntryContext): void {
  const { layer, linkSource } = entry;
  if (linkSource === undefined) return;
  const source = { directory: layer.tree.open(linkSource.node), name: linkSource.name };
  layer.operations.makeLink(source, namedEntry(entry));
}

function makeDevice(entry: EntryContext, node: NodeKind): void {
  const { operations, placeholderDevices, warn } = entry.layer;
  if (!placeholderDevices) {
    operations.makeNode(namedEntry(entry), node);
    return;
  }
  entry.fd = operations.createFile(namedEntry(entry));
  warn({
    code: 'device-placeholder',
    message: 'device nodes became empty files, since making them needs root',
  });
}

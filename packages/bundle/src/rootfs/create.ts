import { type EntryContext, namedEntry } from './entry-context.ts';
import { entryLinkname } from './entry-path.ts';
import type { NodeKind } from './operations.ts';

/** Creates what the entry is, with no permission for anyone but the owner until its metadata is applied. */
export function createEntry(entry: EntryContext): undefined {
  const { layer, header, parent, base, path } = entry;
  const { operations, tree } = layer;
  switch (header.type) {
    case 'directory':
      if (!entry.reused) operations.makeDirectory(namedEntry(entry));
      entry.directory = path.length === 0 ? tree.root : tree.adopt(parent, base, { created: !entry.reused });
      return;
    case 'file':
      entry.fd = operations.createFile(namedEntry(entry));
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

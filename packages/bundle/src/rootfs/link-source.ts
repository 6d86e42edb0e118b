import { BundleError } from '../errors.ts';
import type { EntryContext } from './entry-context.ts';
import { cleanPath, entryLinkname } from './entry-path.ts';
import { findDirectory } from './parents.ts';

/**
 * Finds the file that a hard link names, inside the root, before anything at the link's own place is removed.
 * A link in the last component is linked itself. Throws ERR_OCI_LAYER_INVALID when the file is missing,
 * is a directory, or is the entry itself.
 */
export function findLinkSource(entry: EntryContext): undefined {
  const { layer, header } = entry;
  if (header.type !== 'link') return;
  const linkname = entryLinkname(header);
  const path = cleanPath(linkname);
  const name = path.at(-1);
  const node = findDirectory(layer, path.slice(0, -1));
  if (node === undefined || name === undefined) throw invalidLink(entry, 'does not exist');
  if (node === entry.parent && name === entry.base) throw invalidLink(entry, 'is the link itself');
  const status = layer.operations.status({ directory: layer.tree.open(node), name });
  if (status === undefined) throw invalidLink(entry, 'does not exist');
  if (status.kind === 'directory') throw invalidLink(entry, 'is a directory');
  entry.linkSource = { node, name };
}

function invalidLink({ header }: EntryContext, what: string): BundleError {
  const message = `the target ${JSON.stringify(header.linkname)} of hard link ${JSON.stringify(header.name)} ${what}`;
  return new BundleError('ERR_OCI_LAYER_INVALID', message, { entry: header.name, path: header.linkname });
}

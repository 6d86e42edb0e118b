import { createHash, type Hash } from 'node:crypto';
import { readFile } from './layer-entries.ts';
import { type CopyRoot, isDirectoryFile, type SelectedSource } from './select-files.ts';

/**
 * A digest of what is copied: names, types, modes, owners, links and contents. Times take no part, so that the same files
 * checked out on another day are the same.
 */
export async function filesDigest(
  sources: readonly SelectedSource[],
  options: { readonly withOwners: boolean; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const hash = createHash('sha256');
  for (const { root, name, path, files } of sources) {
    field(hash, 'source', name, path);
    for (const { file, relative } of files) {
      options.signal?.throwIfAborted();
      const { status, mode } = file;
      const type = status.mode & 0o170000;
      field(hash, relative, type, mode, ...(options.withOwners ? [status.uid, status.gid] : []));
      if (type === 0o120000) field(hash, root.tree.readLink(file));
      else if (type === 0o100000) await content(hash, root, file);
      else if (!isDirectoryFile(file)) field(hash, status.rdevMajor, status.rdevMinor);
    }
  }
  return hash.digest('hex');
}

async function content(hash: Hash, root: CopyRoot, file: Parameters<typeof readFile>[1]): Promise<void> {
  field(hash, file.status.size);
  if (file.status.size > 0) for await (const chunk of readFile(root, file)) hash.update(chunk);
}

/** Each with its length, so that two fields are never taken for one. */
function field(hash: Hash, ...values: readonly (string | number)[]): void {
  for (const value of values) {
    const bytes = Buffer.from(String(value));
    hash.update(`${bytes.length}:`).update(bytes);
  }
}

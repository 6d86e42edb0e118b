import { compareTrees, createRoot, planLayer, type TarWriteEntry } from '@ocijs/image';
import { readDiskTree } from './disk-tree.ts';
import { createFileReader } from './file-body.ts';
import { diskEntries } from './repack.ts';

/** Options of {@link directoryEntries}. */
export interface DirectoryEntriesOptions {
  /** Who owns the files in the layer: root by default, or whoever owns them on disk. */
  readonly owners?: 'root' | 'disk' | undefined;
  /** No time is later than this, in nanoseconds since 1970 (`SOURCE_DATE_EPOCH`). */
  readonly clampNs?: bigint | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The entries of a layer that holds what is in a directory, in the order of the names' bytes; the directory itself is
 * not among them. No link is followed. Throws ERR_OCI_REPACK_FAILED, and what reading throws.
 */
export function* directoryEntries(
  directory: string,
  { owners = 'root', clampNs, onWarning, signal }: DirectoryEntriesOptions = {},
): Generator<TarWriteEntry, void, undefined> {
  const before = createRoot();
  const { root } = readDiskTree(directory, {
    before,
    unpacked: { rootless: false, uidMap: [], gidMap: [] },
    stampNs: undefined,
    isMasked: () => false,
    onSkipped: (path) => onWarning?.(`${path} is a socket, which no layer can hold`),
    signal,
  });
  const changes = compareTrees(before, root, { isSame: (old) => old === before });
  const planned = planLayer(changes, { clampNs });
  using files = createFileReader(directory, { unlock: false });
  for (const { header, body } of diskEntries(planned, { files, signal }))
    yield { header: owners === 'root' ? { ...header, uid: 0, gid: 0 } : header, body };
}

import { readSync } from 'node:fs';
import type { TreeFile } from '@ocijs/bundle';
import type { TarWriteEntry } from '@ocijs/image';
import { close, isSystemCallError } from '@ocijs/linux';
import { BuildError } from '../errors.ts';
import { READ_BYTES } from '../limits.ts';
import type { ModeChange } from './permissions.ts';
import type { PlannedFile } from './plan-copy.ts';
import { type CopyRoot, isDirectoryFile } from './select-files.ts';

export interface LayerEntryOptions {
  /** Who owns the copies; without it they belong to whom they did. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode?: ModeChange | undefined;
  /** The time of everything, in nanoseconds since 1970: when something was checked out is no property of it. */
  readonly timeNs: bigint | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The types of files by the bits of their status. */
const types: ReadonlyMap<
  number,
  'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device'
> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o020000, 'character-device'],
  [0o060000, 'block-device'],
]);

/**
 * Turns planned files into the entries of a layer, parents first, by the bytes of their names. Contents are read while the
 * layer is written, and not more than a file had when it was looked at.
 */
export async function* layerEntries(
  planned: readonly PlannedFile[],
  options: LayerEntryOptions,
): AsyncGenerator<TarWriteEntry> {
  const sorted = [...planned].sort((left, right) =>
    Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)),
  );
  const firstNames = new Map<string, string>();
  for (const place of sorted) {
    options.signal?.throwIfAborted();
    const entry = toEntry(place, options, firstNames);
    if (entry !== undefined) yield entry;
  }
}

function toEntry(
  { path, from, content }: PlannedFile,
  options: LayerEntryOptions,
  firstNames: Map<string, string>,
): TarWriteEntry | undefined {
  const { owner, mode: change, timeNs } = options;
  const file = from?.file;
  const mtimeNs = timeNs ?? file?.status.mtimeNs ?? 0n;
  const ids = { uid: owner?.uid ?? file?.status.uid ?? 0, gid: owner?.gid ?? file?.status.gid ?? 0 };
  if (from === undefined || file === undefined) {
    const isDirectory = content === undefined;
    const plain = isDirectory ? 0o755 : 0o644;
    const mode = change === undefined || isDirectory ? plain : change({ mode: plain, isDirectory });
    const header = { name: path, mtimeNs, mode, ...ids };
    return isDirectory ? { header: { ...header, type: 'directory' } } : { header, body: content };
  }
  const { root } = from;
  const type = types.get(file.status.mode & 0o170000);
  // Sockets mean nothing to anybody but the process that listens on them.
  if (type === undefined) return undefined;
  const isDirectory = isDirectoryFile(file);
  const mode =
    type === 'symlink' || change === undefined ? file.mode : change({ mode: file.mode, isDirectory });
  const key = `${file.layer}:${file.status.ino}`;
  const first = file.status.nlink > 1 && !isDirectory ? firstNames.get(key) : undefined;
  const header = { name: path, type, mode, mtimeNs, ...ids };
  if (first !== undefined) return { header: { ...header, type: 'link', linkname: first } };
  if (file.status.nlink > 1) firstNames.set(key, path);
  if (type === 'symlink') return { header: { ...header, linkname: root.tree.readLink(file) } };
  const xattrs = new Map([...root.tree.attributes(file)].filter(([name]) => name === 'security.capability'));
  if (type !== 'file') {
    const { rdevMajor, rdevMinor } = file.status;
    return { header: { ...header, deviceMajor: rdevMajor, deviceMinor: rdevMinor } };
  }
  return {
    header: { ...header, size: file.status.size, xattrs },
    body: file.status.size === 0 ? undefined : readFile(root, file),
  };
}

/** The content of a file, as long as it was when it was looked at. A stream would cost more than most files are worth. */
export async function* readFile(root: CopyRoot, file: TreeFile): AsyncGenerator<Uint8Array> {
  let left = file.status.size;
  try {
    const fd = root.tree.open(file);
    try {
      while (left > 0) {
        const buffer = Buffer.allocUnsafe(Math.min(left, READ_BYTES));
        const length = readSync(fd, buffer, 0, buffer.length, null);
        if (length === 0) break;
        left -= length;
        yield buffer.subarray(0, length);
      }
    } finally {
      close(fd);
    }
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
    throw new BuildError('ERR_OCI_BUILD_FILE_UNREADABLE', `${file.path} of ${root.label} cannot be read`, {
      path: file.path,
      cause: error,
    });
  }
  if (left > 0)
    throw new BuildError(
      'ERR_OCI_BUILD_FILE_UNREADABLE',
      `${file.path} of ${root.label} became shorter while it was read`,
      {
        path: file.path,
        hint: 'build again when nobody changes the files',
      },
    );
}

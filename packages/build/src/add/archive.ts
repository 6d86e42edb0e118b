import type { LayeredTree } from '@ocijs/bundle';
import { decompress, readTar, type TarReadEntry, type TarWriteEntry } from '@ocijs/image';
import { readFile } from '../copy/layer-entries.ts';
import type { SelectedSource } from '../copy/select-files.ts';
import { BuildError } from '../errors.ts';
import { type ArchivePaths, archivePaths } from './archive-paths.ts';
import { firstBytes } from './first-bytes.ts';

/** How much of a file tells what it is: the mark of a tar is in its first block. */
const HEAD_BYTES = 512;

const compressed = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x42, 0x5a, 0x68],
] as const;

/** Whether a file is a tar archive, compressed or not, which `ADD` unpacks. A compressed file that holds none is copied. */
export async function isArchive({ root, files, isDirectory }: SelectedSource): Promise<boolean> {
  const [top] = files;
  if (top === undefined || isDirectory) return false;
  const head = await firstBytes(readFile(root, top.file), HEAD_BYTES);
  if (isTar(head)) return true;
  if (!compressed.some((magic) => magic.every((byte, index) => head[index] === byte))) return false;
  try {
    return isTar(await firstBytes(decompress(readFile(root, top.file), { compression: 'auto' }), HEAD_BYTES));
  } catch {
    // What cannot be decompressed is a file like any other.
    return false;
  }
}

function isTar(head: Uint8Array): boolean {
  return head.length >= HEAD_BYTES && Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar';
}

export interface ArchiveEntryOptions {
  /** Where it is unpacked; relative to the root, without links. */
  readonly directory: string;
  /** What is there already, for the links in it. */
  readonly tree?: LayeredTree | undefined;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The entries of an archive, below a directory of the image. No name leaves the directory.
 *
 * @throws BuildError `ERR_OCI_BUILD_ARCHIVE_INVALID` for names that mean something else in a layer.
 */
export async function* archiveEntries(
  { root, files }: SelectedSource,
  { directory, tree, owner, signal }: ArchiveEntryOptions,
): AsyncGenerator<TarWriteEntry> {
  const [top] = files;
  if (top === undefined) return;
  const paths = archivePaths(directory, tree);
  const tar = decompress(readFile(root, top.file), { compression: 'auto', signal });
  for await (const entry of readTar(tar, { signal })) {
    const moved = moveEntry(entry, paths);
    // The destination itself stays as it is.
    if (moved.header.name === directory) continue;
    const { name, type, linkname } = moved.header;
    paths.put(name, type === 'symlink' ? linkname : undefined);
    yield { ...moved, header: { ...moved.header, ...owner } };
  }
}

function moveEntry({ header, body }: TarReadEntry, paths: ArchivePaths): TarWriteEntry {
  const path = paths.place(header.name);
  if (path.split('/').some((name) => name.startsWith('.wh.'))) throw whiteoutRefused(header.name);
  const {
    offset: _offset,
    sparse: _sparse,
    nameBytes: _nameBytes,
    linknameBytes: _linkBytes,
    ...rest
  } = header;
  const linkname = header.type === 'link' ? paths.place(header.linkname) : header.linkname;
  const moved = { ...rest, name: path, linkname, uname: '', gname: '' };
  return header.type === 'file' && header.size > 0 ? { header: moved, body } : { header: moved };
}

/** The error for a name that means something else in a layer than in an archive. */
export function whiteoutRefused(name: string): BuildError {
  return new BuildError(
    'ERR_OCI_BUILD_ARCHIVE_INVALID',
    `the archive holds ${name}, which would remove files of the image`,
    { entry: name, hint: 'unpack it in a RUN instruction' },
  );
}

import type { ImageCollection } from '../transport/collection.ts';
import { type ArchiveFileOptions, type ArchiveInput, openArchiveFile } from './archive-file.ts';
import { dockerArchive } from './docker-archive.ts';
import { indexMembers } from './member-index.ts';
import { holdsLayout, ociArchive } from './oci-archive.ts';

/** How images lie in an archive: as an OCI image layout, or as `docker save` writes them. */
export type ArchiveFormat = 'oci' | 'docker';

/** Options of {@link openArchive}. */
export interface OpenArchiveOptions extends ArchiveFileOptions {
  /** Default: the layout when there is one with images in it, else Docker's. Archives of newer Dockers are both. */
  readonly format?: ArchiveFormat | undefined;
}

/**
 * Opens the images in a tar archive, plain or compressed with gzip or zstd. A plain file is indexed once and its blobs
 * are read in place; a stream or a compressed file goes to a temporary file first, 64 GiB at most. Nothing is unpacked,
 * and no name in the archive becomes a path. Dispose of the collection to close the file.
 *
 * Throws ERR_OCI_ARCHIVE_FAILED when the file cannot be read, ERR_OCI_ARCHIVE_INVALID when no images are in it,
 * ERR_OCI_TAR_INVALID, ERR_OCI_COMPRESSION_UNSUPPORTED (xz, bzip2), ERR_OCI_COMPRESSION_INVALID,
 * ERR_OCI_LIMIT_EXCEEDED, what the parsers of its documents throw, and `signal.reason`.
 */
export async function openArchive(
  input: ArchiveInput,
  { format, ...options }: OpenArchiveOptions = {},
): Promise<ImageCollection> {
  const { signal } = options;
  const file = await openArchiveFile(input, options);
  try {
    const members = await indexMembers(file, { signal });
    const found = format ?? ((await isLayout(members)) ? 'oci' : 'docker');
    return found === 'oci' ? await ociArchive(members) : await dockerArchive(members, { signal });
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function isLayout(members: Parameters<typeof holdsLayout>[0]): Promise<boolean> {
  return (await holdsLayout(members)) || members.find('manifest.json') === undefined;
}

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { invalidArchive, onArchive } from '../archive/failure.ts';
import { openForReading, randomAccess } from '../archive/random-access.ts';
import { digestBytes } from '../digest/hasher.ts';
import { MANIFEST_LIMIT } from '../limits.ts';
import { parseManifestOrIndex } from '../manifest/manifest.ts';
import type { ReadBlobOptions } from '../source.ts';
import { errnoOf } from '../store/failure.ts';
import { readSmallFile } from '../store/file-chunks.ts';
import { type BlobPlace, type ImageCollection, imageCollection } from '../transport/collection.ts';
import { blobFile, manifestFile } from './files.ts';

/**
 * Opens the image in a directory that skopeo wrote (`dir:`): one manifest or index in `manifest.json`, blobs by the
 * hexadecimal of their digest. It has no name. Throws ERR_OCI_ARCHIVE_INVALID, ERR_OCI_ARCHIVE_FAILED.
 */
export async function openDirectory(
  directory: string,
  { signal }: ReadBlobOptions = {},
): Promise<ImageCollection> {
  signal?.throwIfAborted();
  const location = resolve(directory);
  const raw = await readTop(location);
  const { mediaType } = parseManifestOrIndex(raw);
  const digest = digestBytes(raw);
  return imageCollection({
    location,
    entries: [{ mediaType, digest, size: raw.length }],
    find: async (wanted) =>
      wanted === digest
        ? { size: raw.length, open: () => once(raw) }
        : ((await placeOf(join(location, blobFile(wanted)))) ??
          placeOf(join(location, manifestFile(wanted)))),
    close: async () => undefined,
  });
}

async function readTop(location: string): Promise<Uint8Array> {
  try {
    return await readSmallFile(join(location, 'manifest.json'), MANIFEST_LIMIT);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw invalidArchive(location, 'holds no image: it has no readable manifest.json', {
      cause: error,
      errno,
      hint: 'dir: reads what `skopeo copy … dir:DIR` writes; a layout is oci:DIR',
    });
  }
}

async function placeOf(path: string): Promise<BlobPlace | undefined> {
  const found = await onArchive(path, () =>
    stat(path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }),
  );
  if (found === undefined || !found.isFile()) return undefined;
  return { size: found.size, open: (options) => fileChunks(path, options) };
}

async function* fileChunks(path: string, options: ReadBlobOptions): AsyncGenerator<Uint8Array> {
  await using file = await randomAccess(await openForReading(path), path);
  yield* file.chunks({ offset: 0, length: file.size }, options);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { invalidArchive, onArchive } from '../archive/failure.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { verifiedStream, verifyBytes } from '../digest/verify.ts';
import { isOciError } from '../errors.ts';
import type { ReadBlobOptions } from '../source.ts';
import { errnoOf } from '../store/failure.ts';
import { handleChunks, openRegularFile } from '../store/file-chunks.ts';
import type { ImageSink } from '../transport/sink.ts';
import { blobFile, isOwnFile, manifestFile, VERSION_PREFIX, VERSION_TEXT } from './files.ts';

/**
 * Writes one image into a directory as skopeo's `dir:` does. The directory is made; one with an image of this form in
 * it gets the new image instead, and what both have is kept. Throws ERR_OCI_ARCHIVE_INVALID for a directory with other
 * things in it and for a second image, ERR_OCI_ARCHIVE_FAILED.
 */
export async function directorySink(directory: string, { signal }: ReadBlobOptions = {}): Promise<ImageSink> {
  signal?.throwIfAborted();
  const location = resolve(directory);
  await onArchive(location, () => claim(location));
  const kept = new Set<string>(['version', 'manifest.json']);
  const manifests = new Map<Digest, Uint8Array>();
  let top: Descriptor | undefined;

  const write = (name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> =>
    onArchive(location, async () => {
      await replace(join(location, name), chunks);
      kept.add(name);
    });

  return {
    location,
    sequential: false,
    async has(descriptor, options) {
      const name = blobFile(descriptor.digest);
      if (!kept.has(name) && !(await isIntact(join(location, name), { ...options, descriptor })))
        return false;
      kept.add(name);
      return true;
    },
    writeBlob: (descriptor, source, options = {}) =>
      write(
        blobFile(descriptor.digest),
        verifiedStream(source, { ...descriptor, signal: options.signal ?? signal }),
      ),
    async writeManifest(descriptor, bytes) {
      verifyBytes(bytes, descriptor);
      manifests.set(descriptor.digest, bytes);
    },
    async add(descriptor) {
      if (top !== undefined && top.digest !== descriptor.digest)
        throw invalidArchive(location, 'can hold one image only', { digest: descriptor.digest });
      top = descriptor;
    },
    async commit() {
      const bytes = top && manifests.get(top.digest);
      if (top === undefined || bytes === undefined)
        throw new TypeError('no image was written into the directory');
      for (const [digest, manifest] of manifests)
        if (digest !== top.digest) await write(manifestFile(digest), [manifest]);
      await write('manifest.json', [bytes]);
      await onArchive(location, () => removeOthers(location, kept));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The file `version` comes first: from then on the directory is ours, also when this run is cut off. */
async function claim(location: string): Promise<void> {
  await mkdir(location, { recursive: true });
  const names = await readdir(location);
  if (names.includes('version') && (await isOurs(location))) return;
  if (names.length > 0)
    throw invalidArchive(location, 'is not empty and not a directory of an image', {
      hint: 'choose a new or empty directory',
    });
  await replace(join(location, 'version'), [Buffer.from(VERSION_TEXT)]);
}

async function isOurs(location: string): Promise<boolean> {
  const handle = await openRegularFile(join(location, 'version'));
  try {
    const { bytesRead, buffer } = await handle.read(
      Buffer.alloc(VERSION_PREFIX.length),
      0,
      VERSION_PREFIX.length,
      0,
    );
    return buffer.subarray(0, bytesRead).toString('latin1') === VERSION_PREFIX;
  } finally {
    await handle.close();
  }
}

async function replace(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.partial`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      for await (const chunk of chunks) await handle.appendFile(chunk);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function isIntact(
  path: string,
  { descriptor, signal }: ReadBlobOptions & { readonly descriptor: Descriptor },
): Promise<boolean> {
  try {
    const handle = await openRegularFile(path);
    try {
      if ((await handle.stat()).size !== descriptor.size) return false;
      const verified = verifiedStream(handleChunks(handle, { signal }), { ...descriptor, signal });
      let received = 0;
      for await (const chunk of verified) received += chunk.length;
      return received === descriptor.size;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || isOciError(error)) return false;
    throw error;
  }
}

/** Files of the image that was there before. */
async function removeOthers(location: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(location))
    if (isOwnFile(name) && !kept.has(name)) await rm(join(location, name), { force: true });
}

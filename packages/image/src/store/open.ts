import { resolve } from 'node:path';
import { type Environment, processEnvironment } from '../env.ts';
import { ImageError } from '../errors.ts';
import { ensureLayout } from './create-layout.ts';
import { defaultStoreDirectory } from './directory.ts';
import { inStore } from './failure.ts';
import { readIndexFile } from './index-file.ts';
import type { LayoutFiles } from './layout-files.ts';
import { isLayout } from './layout-marker.ts';
import { layoutStore } from './layout-store.ts';
import type { Store } from './store.ts';

/** Options of {@link openStore}. */
export interface OpenStoreOptions {
  /** Where `OCI_STORE`, `XDG_DATA_HOME` and `HOME` are looked up; default: the environment of this process. */
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the image store in a directory, by default {@link defaultStoreDirectory}, and makes it if it is not there:
 * an image layout (image-spec `image-layout.md`) which only its user may read.
 *
 * Throws ERR_OCI_STORE_INVALID when the directory holds something else, ERR_OCI_STORE_DENIED without permission,
 * ERR_OCI_STORE_FULL without space.
 */
export async function openStore(
  directory?: string,
  { env = processEnvironment(), signal }: OpenStoreOptions = {},
): Promise<Store> {
  signal?.throwIfAborted();
  const files = { directory: resolve(directory ?? defaultStoreDirectory(env)), privacy: 'private' } as const;
  await inStore(files.directory, () => ensureLayout(files));
  return layoutStore(files);
}

/**
 * Opens an image layout that exists; reading changes nothing in it. Throws ERR_OCI_STORE_INVALID when the directory
 * is none, ERR_OCI_STORE_DENIED without permission.
 */
export async function openLayout(
  directory: string,
  { signal }: Pick<OpenStoreOptions, 'signal'> = {},
): Promise<Store> {
  signal?.throwIfAborted();
  const files: LayoutFiles = { directory: resolve(directory), privacy: 'umask' };
  await inStore(files.directory, async () => {
    if (!(await isLayout(files.directory)))
      throw new ImageError('ERR_OCI_STORE_INVALID', `${files.directory} is not an image layout`, {
        path: files.directory,
        hint: 'an image layout has a file oci-layout; check the path',
      });
    await readIndexFile(files);
  });
  return layoutStore(files);
}

/**
 * Opens the image layout in a directory, and makes it if the directory is missing or empty; with the permissions
 * that the umask gives, since a layout is made to be handed on. Throws as {@link openStore}.
 */
export async function createLayout(
  directory: string,
  { signal }: Pick<OpenStoreOptions, 'signal'> = {},
): Promise<Store> {
  signal?.throwIfAborted();
  const files: LayoutFiles = { directory: resolve(directory), privacy: 'umask' };
  await inStore(files.directory, () => ensureLayout(files));
  return layoutStore(files);
}

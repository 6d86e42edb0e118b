import { join, resolve } from 'node:path';
import type { Bundle } from './bundle.ts';
import { BundleError } from './errors.ts';
import { readLimitedFile } from './read-file.ts';
import { hasErrno } from './rootfs/failure.ts';
import { configSizeLimit } from './spec/limits.ts';
import { parseSpec } from './spec/parse.ts';
import { readBundleImage } from './state.ts';

/** Options of {@link loadBundle}. */
export interface LoadBundleOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a bundle, whoever made it: reads and checks its `config.json` (at most 8 MiB).
 * Throws ERR_OCI_BUNDLE_INVALID when there is none, ERR_OCI_SPEC_INVALID and ERR_OCI_JSON_INVALID when it is wrong.
 */
export async function loadBundle(directory: string, options: LoadBundleOptions = {}): Promise<Bundle> {
  options.signal?.throwIfAborted();
  const absolute = resolve(directory);
  const path = join(absolute, 'config.json');
  const config = parseSpec(await readConfig(path));
  options.signal?.throwIfAborted();
  const root = config.root?.path;
  if (root === undefined || root === '') {
    throw new BundleError('ERR_OCI_BUNDLE_INVALID', `${path} names no root file system`, {
      path,
      jsonPath: '$.root.path',
    });
  }
  const image = await readBundleImage(absolute);
  const bundle: Bundle = { directory: absolute, rootfs: resolve(absolute, root), config };
  return image === undefined ? bundle : { ...bundle, image };
}

async function readConfig(path: string): Promise<Buffer> {
  try {
    return await readLimitedFile(path, { limit: configSizeLimit });
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error;
    throw new BundleError('ERR_OCI_BUNDLE_INVALID', `there is no bundle: ${path} is missing`, {
      path,
      cause: error,
      hint: 'make one with `oci unpack IMAGE DIRECTORY`',
    });
  }
}

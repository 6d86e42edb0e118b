import { join } from 'node:path';
import { ImageError } from '../errors.ts';
import { parseJson } from '../json/parse.ts';
import { LAYOUT_FILE_LIMIT } from '../limits.ts';
import { errnoOf } from './failure.ts';
import { readSmallFile } from './file-chunks.ts';

const VERSION = '1.0.0';

/** The bytes of the file `oci-layout`, which marks a directory as an image layout. */
export const layoutMarker: Uint8Array = Buffer.from(`{"imageLayoutVersion":"${VERSION}"}`);

/**
 * Whether the directory is an image layout; false when it has no `oci-layout` file (or does not exist).
 * Throws ERR_OCI_STORE_INVALID when the file says anything but version 1.0.0.
 */
export async function isLayout(directory: string): Promise<boolean> {
  const path = join(directory, 'oci-layout');
  let raw: Uint8Array;
  try {
    raw = await readSmallFile(path, LAYOUT_FILE_LIMIT);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return false;
    if (errno !== 'ENOTDIR') throw error;
    throw new ImageError('ERR_OCI_STORE_INVALID', `${directory} is not a directory`, { path: directory });
  }
  assertLayoutVersion(raw, path);
  return true;
}

/** Throws ERR_OCI_STORE_INVALID unless the bytes of an `oci-layout` file say version 1.0.0. */
export function assertLayoutVersion(raw: Uint8Array, path: string): void {
  const version = layoutVersion(raw, path);
  if (version === VERSION) return;
  throw new ImageError('ERR_OCI_STORE_INVALID', `${path} has an unknown layout version`, {
    path,
    jsonPath: '$.imageLayoutVersion',
    expected: VERSION,
    actual: String(version),
    hint: 'a newer program made this layout; use that one, or a newer version of this one',
  });
}

function layoutVersion(raw: Uint8Array, path: string): unknown {
  try {
    const document = parseJson(raw, { limit: LAYOUT_FILE_LIMIT, what: path });
    return (document as { imageLayoutVersion?: unknown } | null)?.imageLayoutVersion;
  } catch (cause) {
    throw new ImageError('ERR_OCI_STORE_INVALID', `${path} is not valid JSON`, { path, cause });
  }
}

import { open } from 'node:fs/promises';
import { BuildError } from '../errors.ts';

/**
 * Reads a text of this host; `undefined` when there is no such file.
 *
 * @throws BuildError `ERR_OCI_BUILD_CONTEXT_INVALID` for more than `limit` bytes, and for what is no file.
 */
export async function readTextFile(path: string, limit: number): Promise<string | undefined> {
  await using file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  const status = await file.stat();
  if (!status.isFile()) throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `${path} is no file`, { path });
  if (status.size > limit)
    throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `${path} is larger than ${limit} bytes`, {
      path,
      limit,
    });
  return file.readFile('utf8');
}

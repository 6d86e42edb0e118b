import { getSystemErrorMessage } from 'node:util';
import { limits } from '../../limits.ts';
import { signatureError } from '../failure.ts';
import { readSmallFile } from '../read-small-file.ts';

/** Reads a key or certificate file of at most 64 KiB unless `limit` says otherwise. Throws ERR_OCI_SIGNATURE_KEY_INVALID. */
export async function readKeyFile(
  path: string,
  {
    signal,
    limit = limits.keyFileBytes,
  }: { readonly signal?: AbortSignal | undefined; readonly limit?: number } = {},
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  try {
    return await readSmallFile(path, { limit, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const { errno, message } = cause as NodeJS.ErrnoException;
    const reason = errno === undefined ? message : getSystemErrorMessage(errno);
    throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `key file ${path} cannot be read: ${reason}`, {
      path,
      cause,
      hint: 'check the path',
    });
  }
}

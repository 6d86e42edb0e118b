import { open } from 'node:fs/promises';
import { limits } from '../../limits.ts';
import { signatureError } from '../failure.ts';

/** Reads a key or certificate file of at most 64 KiB. Throws ERR_OCI_SIGNATURE_KEY_INVALID. */
export async function readKeyFile(
  path: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(limits.keyFileBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > limits.keyFileBytes) throw new Error(`larger than ${limits.keyFileBytes} bytes`);
    }
    return buffer.subarray(0, length);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `key file ${path} cannot be read: ${reason}`, {
      path,
      cause,
    });
  }
}

import { constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isAbsent } from '../../config/read-text.ts';
import { limits } from '../../limits.ts';
import { unacceptable } from '../failure.ts';
import { readSmallFile } from '../read-small-file.ts';
import type { LookasideSignature } from './read-signatures.ts';

/** Reads a signature from a file; undefined when there is none. Throws ERR_OCI_SIGNATURE_INVALID. */
export async function readSignatureFile(
  url: URL,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<LookasideSignature | undefined> {
  const name = fileURLToPath(url);
  try {
    // A pipe that nobody writes to must not hold us up.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK;
    return { name, bytes: await readSmallFile(name, { limit: limits.gpgSignatureBytes, flags, signal }) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (isAbsent(cause)) return undefined;
    throw unacceptable(`${name} cannot be read: ${(cause as Error).message}`, { path: name, cause });
  }
}

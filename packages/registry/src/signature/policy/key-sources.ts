import { readKeyFile } from '../keys/key-file.ts';
import type { KeySource } from './types.ts';

/** What a policy's key sources hold. Throws ERR_OCI_SIGNATURE_KEY_INVALID, `signal.reason`. */
export async function readKeySources(
  sources: readonly KeySource[],
  options: { readonly limit: number; readonly signal: AbortSignal | undefined },
): Promise<readonly { readonly name: string; readonly bytes: Uint8Array }[]> {
  const files: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  for (const source of sources) {
    if ('path' in source) files.push({ name: source.path, bytes: await readKeyFile(source.path, options) });
    else files.push({ name: 'key of the policy', bytes: source.data });
  }
  return files;
}

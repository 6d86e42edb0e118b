import { open } from 'node:fs/promises';
import { isAbsent } from '../../config/read-text.ts';
import { registryEnvironment } from '../../env.ts';
import { limits } from '../../limits.ts';
import type { RegistryOptions } from '../../options.ts';
import { signatureError } from '../failure.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy } from './types.ts';

/**
 * The policy that is in force: the file that the options name, else the user's, else the system's; undefined when there
 * is none, or none is wanted. Throws ERR_OCI_SIGNATURE_POLICY_INVALID: what may refuse an image is never passed over.
 */
export async function loadPolicy({
  policy,
  env,
}: Pick<RegistryOptions, 'policy' | 'env'>): Promise<Policy | undefined> {
  if (policy === false) return undefined;
  if (policy !== undefined) {
    const bytes = await readPolicy(policy);
    if (bytes !== undefined) return parsePolicy(bytes, policy);
    throw signatureError('ERR_OCI_SIGNATURE_POLICY_INVALID', `signature policy ${policy} does not exist`, {
      path: policy,
    });
  }
  for (const path of registryEnvironment(env).policyFiles) {
    const bytes = await readPolicy(path);
    if (bytes !== undefined) return parsePolicy(bytes, path);
  }
  return undefined;
}

async function readPolicy(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > limits.policyFileBytes) throw new Error(`larger than ${limits.policyFileBytes} bytes`);
    return await file.readFile();
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw signatureError(
      'ERR_OCI_SIGNATURE_POLICY_INVALID',
      `signature policy ${path} cannot be read: ${(cause as Error).message}`,
      { path, cause },
    );
  }
}

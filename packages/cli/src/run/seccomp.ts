import { readFile } from 'node:fs/promises';
import type { RuntimeSpec } from '@ocijs/bundle';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';
import type { RunFlagValues } from './flags.ts';
import { parseSecurityOptions } from './security.ts';

async function readProfile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw usageError(`--security-opt seccomp=${path}: the profile cannot be read: ${systemMeaning(error)}`);
  }
}

/**
 * Adds the seccomp profile, as Docker does: the file that was asked for, else Docker's default profile for the
 * container's capabilities, and none for `--privileged` or `seccomp=unconfined`. Throws ERR_OCI_USAGE for a file that
 * cannot be read, and what the profile's reader throws.
 */
export async function withSeccomp(
  spec: RuntimeSpec,
  flags: Pick<RunFlagValues, 'security-opt' | 'privileged'>,
): Promise<RuntimeSpec> {
  const { seccomp: asked } = parseSecurityOptions(flags['security-opt'] ?? []);
  if (asked === 'unconfined' || (asked === undefined && flags.privileged)) return spec;
  const { defaultSeccompProfile, readSeccompProfile } = await import('@ocijs/runtime/seccomp');
  const capabilities = spec.process?.capabilities?.bounding ?? [];
  const seccomp =
    asked === undefined
      ? defaultSeccompProfile(capabilities)
      : readSeccompProfile(await readProfile(asked), capabilities);
  return { ...spec, linux: { ...spec.linux, seccomp } };
}

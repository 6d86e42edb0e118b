import { RuntimeError } from '../errors.ts';

/** What is wrong with a profile; `jsonPath` starts at `$.linux.seccomp`. */
export function profileError(jsonPath: string, message: string, hint?: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', `seccomp profile: ${jsonPath} ${message}`, {
    jsonPath,
    ...(hint !== undefined && { hint }),
  });
}

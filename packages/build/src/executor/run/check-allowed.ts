import type { RunInstruction } from '../../dockerfile/instructions/types.ts';
import { BuildError } from '../../errors.ts';
import type { BuildOptions } from '../types.ts';

/**
 * What an instruction needs must be done or refused, never left out: the step would seem to have had it. More rights
 * than the others have it gets only when the caller has allowed that, whoever wrote the Dockerfile.
 *
 * @throws BuildError `ERR_OCI_BUILD_NOT_ALLOWED`, `ERR_OCI_BUILD_UNSUPPORTED`
 */
export function checkAllowed(
  { security, network, devices }: Pick<RunInstruction, 'security' | 'network' | 'devices'>,
  { allow = new Set(), network: given = 'host' }: Pick<BuildOptions, 'allow' | 'network'>,
): void {
  if (security === 'insecure' && !allow.has('security.insecure'))
    throw notAllowed('RUN --security=insecure', 'security.insecure');
  if (network === 'host' && given !== 'host' && !allow.has('network.host'))
    throw notAllowed('RUN --network=host', 'network.host');
  const needed = devices.find(({ required }) => required);
  if (needed !== undefined)
    throw new BuildError('ERR_OCI_BUILD_UNSUPPORTED', `RUN --device=${needed.name} is not supported`, {
      hint: 'leave it out, or build this stage with another tool and name it with --build-context',
    });
}

function notAllowed(what: string, right: string): BuildError {
  return new BuildError('ERR_OCI_BUILD_NOT_ALLOWED', `${what} takes a right that was not given`, {
    hint: `if you trust the Dockerfile: --allow ${right}`,
  });
}

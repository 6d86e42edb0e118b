import { BuildError } from '../../errors.ts';
import { bindOptions, type PrepareMount } from './mount-context.ts';

/** `type=ssh`: the socket of an agent, so that no key is in the container. */
export const sshMount: PrepareMount = async (
  { id = 'default', required, target: given },
  { environment, target },
) => {
  const source = environment.options.agents?.get(id);
  if (source === undefined) {
    if (!required) return { mounts: [], environment: [] };
    throw new BuildError(
      'ERR_OCI_BUILD_SECRET_MISSING',
      `the ssh agent ${id} is required and was not given`,
      {
        hint: `give it with --ssh ${id}=SOCKET; without a socket it is that of SSH_AUTH_SOCK`,
      },
    );
  }
  const destination = given === undefined ? '/run/buildkit/ssh_agent.0' : target;
  return {
    mounts: [{ destination, type: 'bind', source, options: [...bindOptions, 'noexec'] }],
    environment: [`SSH_AUTH_SOCK=${destination}`],
  };
};

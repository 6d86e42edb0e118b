import { chown, writeFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { BuildError } from '../../errors.ts';
import { bindOptions, type PrepareMount } from './mount-context.ts';

/**
 * `type=secret`: a file, a variable, or both. The value is on disk only while the step runs, in a directory that nobody
 * else can enter, and takes no part in the key of the step.
 */
export const secretMount: PrepareMount = async (flag, { environment, target, place }) => {
  const id = flag.id ?? posix.basename(flag.target ?? '');
  const value = environment.options.secrets?.get(id);
  if (value === undefined) {
    if (!flag.required) return { mounts: [], environment: [] };
    throw new BuildError('ERR_OCI_BUILD_SECRET_MISSING', `the secret ${id} is required and was not given`, {
      hint: `give it with --secret id=${id},src=FILE`,
    });
  }
  const variables =
    flag.environment === undefined ? [] : [`${flag.environment}=${Buffer.from(value).toString('utf8')}`];
  if (flag.environment !== undefined && flag.target === undefined)
    return { mounts: [], environment: variables };
  await writeFile(place, value, { mode: flag.mode ?? 0o400 });
  if (process.geteuid?.() === 0) await chown(place, flag.uid ?? 0, flag.gid ?? 0);
  const destination = flag.target === undefined ? `/run/secrets/${id}` : target;
  const options = [...bindOptions, 'ro', 'noexec'];
  return { mounts: [{ destination, type: 'bind', source: place, options }], environment: variables };
};

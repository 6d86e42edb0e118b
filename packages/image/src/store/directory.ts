import { isAbsolute, join, resolve } from 'node:path';
import { type Environment, homeDirectory, processEnvironment } from '../env.ts';

/** Options of {@link defaultStoreDirectory}. */
export interface DefaultDirectoryOptions {
  /** Default: that of this process. */
  readonly uid?: number | undefined;
}

/**
 * Where images are kept when nobody says otherwise: `$OCI_STORE`, else `/var/lib/oci` for root, else
 * `$XDG_DATA_HOME/oci`, else `~/.local/share/oci`. Always absolute.
 */
export function defaultStoreDirectory(
  env: Environment = processEnvironment(),
  options: DefaultDirectoryOptions = {},
): string {
  const chosen = env['OCI_STORE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if ((options.uid ?? process.getuid?.()) === 0) return '/var/lib/oci';
  // The XDG base directory specification: a relative value is to be ignored.
  const data = env['XDG_DATA_HOME'];
  if (data !== undefined && isAbsolute(data)) return join(data, 'oci');
  return join(homeDirectory(env), '.local', 'share', 'oci');
}

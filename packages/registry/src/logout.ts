import { type AuthFile, readAuthFile } from './auth/docker-config.ts';
import { editAuthFile } from './auth/edit-auth-file.ts';
import { eraseFromHelper } from './auth/helper.ts';
import { authFiles, serverKey } from './auth/keychain.ts';
import { loadRegistriesConf } from './config/load.ts';
import { registryEnvironment } from './env.ts';
import { RegistryError } from './errors.ts';
import { helperOf } from './login.ts';
import { type LoginTarget, parseLoginTarget } from './login-target.ts';
import type { RegistryOptions } from './options.ts';

/** What {@link logout} needs: nothing is sent to the registry. */
export type LogoutOptions = Pick<
  RegistryOptions,
  'authFile' | 'registriesConf' | 'env' | 'signal' | 'onEvent'
>;

/** Where credentials were. */
export interface LogoutReport {
  readonly registry: string;
  /** Empty when there were none. */
  readonly removed: readonly {
    /** Undefined for a helper that a registries.conf names. */
    readonly path: string | undefined;
    readonly helper: string | undefined;
  }[];
}

/**
 * Removes a registry's credentials from the file of the options or `$REGISTRY_AUTH_FILE`, else from the helpers that a
 * registries.conf names and all files of podman and Docker that exist, and from the helpers that those name. Entries for namespaces of the registry
 * stay, unless the namespace is named. Throws as `login`.
 */
export async function logout(registry: string, options: LogoutOptions = {}): Promise<LogoutReport> {
  options.signal?.throwIfAborted();
  const target = parseLoginTarget(registry);
  const environment = registryEnvironment(options.env);
  const named = options.authFile ?? environment.authFile;
  const env = environment.variables;
  const removed: LogoutReport['removed'][number][] = [];
  if (named === undefined && target.namespace === undefined) {
    const { credentialHelpers = [] } = await loadRegistriesConf(environment, options);
    for (const helper of credentialHelpers.filter((name) => name !== authFiles)) {
      const isErased = await eraseFromHelper(helper, {
        server: target.registry,
        env,
        signal: options.signal,
      });
      if (isErased) removed.push({ path: undefined, helper });
    }
  }
  for (const path of named === undefined ? environment.defaultAuthFiles : [named]) {
    const file = await readAuthFile(path);
    if (file === undefined) continue;
    const helper = await eraseSecret(file, { ...options, target, env });
    const isEdited = await editAuthFile(path, {
      name: target.name,
      entry: undefined,
      signal: options.signal,
    });
    if (isEdited || helper !== undefined) removed.push({ path, helper });
  }
  return { registry: target.name, removed };
}

/** The helper that forgot the secret. A file's store for everything may not be installed: then it has nothing. */
async function eraseSecret(
  file: AuthFile,
  options: LogoutOptions & {
    readonly target: LoginTarget;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<string | undefined> {
  const { target, env, signal, onEvent } = options;
  const helper = helperOf(file, target.registry);
  if (helper === undefined || target.namespace !== undefined) return undefined;
  try {
    const isErased = await eraseFromHelper(helper, { server: serverKey(target.registry), env, signal });
    return isErased ? helper : undefined;
  } catch (error) {
    const isMissing = error instanceof RegistryError && error.facts.errno === 'ENOENT';
    if (!isMissing || file.credHelpers.has(target.registry)) throw error;
    onEvent?.({
      type: 'warning',
      code: error.code,
      message: `${error.message}, though ${file.path} names it`,
    });
    return undefined;
  }
}

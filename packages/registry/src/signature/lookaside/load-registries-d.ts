import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent, readText, unreadable } from '../../config/read-text.ts';
import { registryEnvironment } from '../../env.ts';
import type { RegistryOptions } from '../../options.ts';
import { parseRegistriesD, type RegistriesD, type SignatureSection } from './parse-registries-d.ts';

/**
 * Reads all files `*.yaml` of the directory that the options name, else of the user's, else of the system's: the first
 * that exists. Throws ERR_OCI_REGISTRY_CONFIG_INVALID, also for two files that speak of the same scope.
 */
export async function loadRegistriesD({
  registriesDirectory,
  env,
}: Pick<RegistryOptions, 'registriesDirectory' | 'env'>): Promise<RegistriesD> {
  if (registriesDirectory === false) return { defaultDocker: undefined, docker: new Map() };
  let defaultDocker: SignatureSection | undefined;
  const docker = new Map<string, SignatureSection>();
  for (const path of await configurationFiles({ registriesDirectory, env })) {
    const text = await readText(path);
    // Removed since the directory was listed.
    if (text === undefined) continue;
    const own = await parseRegistriesD(text, path);
    if (own.defaultDocker !== undefined) {
      if (defaultDocker !== undefined) throw twice(path, { what: 'default-docker', first: defaultDocker });
      defaultDocker = own.defaultDocker;
    }
    for (const [scope, section] of own.docker) {
      const first = docker.get(scope);
      if (first !== undefined) throw twice(path, { what: `docker.${scope}`, first });
      docker.set(scope, section);
    }
  }
  return { defaultDocker, docker };
}

async function configurationFiles({
  registriesDirectory: named,
  env,
}: Pick<RegistryOptions, 'env'> & {
  readonly registriesDirectory: string | undefined;
}): Promise<readonly string[]> {
  const directories = named === undefined ? registryEnvironment(env).registriesDirectories : [named];
  for (const directory of directories) {
    try {
      const names = await readdir(directory);
      return names
        .filter((name) => name.endsWith('.yaml'))
        .sort()
        .map((name) => join(directory, name));
    } catch (error) {
      if (!isAbsent(error) || named !== undefined) throw unreadable(directory, error);
    }
  }
  return [];
}

function twice(
  path: string,
  { what, first }: { readonly what: string; readonly first: SignatureSection },
): Error {
  return unreadable(path, new Error(`${what} is in ${first.path} already`));
}

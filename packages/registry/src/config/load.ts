import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import type { RegistryOptions } from '../options.ts';
import { isAbsent, readText, unreadable } from './read-text.ts';
import { parseRegistriesConf, type RegistriesConf, type RegistryEntry } from './registries-conf.ts';

/**
 * Reads what podman and skopeo would read: `$CONTAINERS_REGISTRIES_CONF`, else the user's registries.conf, else
 * the system's; then the drop-in directories, system before user, where a later entry for the same prefix
 * replaces an earlier one, and the last list of credential helpers counts. With the option `registriesConf` only that file is read, or none.
 *
 * Throws ERR_OCI_REGISTRY_CONFIG_INVALID: a file that may block something is never passed over.
 */
export async function loadRegistriesConf(
  environment: RegistryEnvironment,
  { registriesConf }: Pick<RegistryOptions, 'registriesConf'>,
): Promise<RegistriesConf> {
  if (registriesConf === false) return { registries: [], credentialHelpers: undefined };
  const named = registriesConf ?? environment.registriesConf;
  const texts: File[] = [];
  if (named === undefined) {
    for (const path of environment.registriesConfFiles) {
      const text = await readText(path);
      if (text === undefined) continue;
      texts.push({ path, text });
      break;
    }
  } else texts.push({ path: named, text: await readNamed(named) });
  if (registriesConf === undefined) {
    for (const directory of environment.registriesConfDirectories)
      texts.push(...(await readDropIns(directory)));
  }
  const byPrefix = new Map<string, RegistryEntry>();
  let credentialHelpers: readonly string[] | undefined;
  for (const { path, text } of texts) {
    const conf = parseRegistriesConf(text, path);
    for (const entry of conf.registries) byPrefix.set(entry.prefix, entry);
    credentialHelpers = conf.credentialHelpers ?? credentialHelpers;
  }
  return { registries: [...byPrefix.values()], credentialHelpers };
}

interface File {
  readonly path: string;
  readonly text: string;
}

async function readDropIns(directory: string): Promise<readonly File[]> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw unreadable(directory, error);
  }
  const files: File[] = [];
  for (const name of names.filter((each) => each.endsWith('.conf')).sort()) {
    const path = join(directory, name);
    const text = await readText(path);
    if (text !== undefined) files.push({ path, text });
  }
  return files;
}

async function readNamed(path: string): Promise<string> {
  const text = await readText(path);
  if (text !== undefined) return text;
  throw new RegistryError('ERR_OCI_REGISTRY_CONFIG_INVALID', `configuration ${path} does not exist`, {
    path,
  });
}

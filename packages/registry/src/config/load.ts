import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import { parseRegistriesConf, type RegistryEntry } from './registries-conf.ts';

/**
 * Reads what podman and skopeo would read: `$CONTAINERS_REGISTRIES_CONF`, else the user's registries.conf, else
 * the system's; then the drop-in directories, system before user, where a later entry for the same prefix
 * replaces an earlier one. With the option `registriesConf` only that file is read, or none.
 *
 * Throws ERR_OCI_REGISTRY_CONFIG_INVALID: a file that may block something is never passed over.
 */
export async function loadRegistriesConf(
  environment: RegistryEnvironment,
  { registriesConf }: Pick<RegistryOptions, 'registriesConf'>,
): Promise<readonly RegistryEntry[]> {
  if (registriesConf === false) return [];
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
  for (const { path, text } of texts) {
    for (const entry of parseRegistriesConf(text, path)) byPrefix.set(entry.prefix, entry);
  }
  return [...byPrefix.values()];
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

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > limits.configFileBytes) throw new Error(`larger than ${limits.configFileBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, cause: unknown): RegistryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RegistryError(
    'ERR_OCI_REGISTRY_CONFIG_INVALID',
    `configuration ${path} cannot be read: ${reason}`,
    {
      path,
      cause,
    },
  );
}

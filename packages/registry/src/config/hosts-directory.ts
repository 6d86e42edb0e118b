import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegistryEnvironment } from '../env.ts';
import type { RegistryOptions } from '../options.ts';
import { type HostsFile, parseHostsToml, plainSettings } from './hosts-toml.ts';
import { isAbsent, readText, unreadable } from './read-text.ts';

/**
 * What containerd's configuration says of a registry, `HOST[:PORT]`: the `hosts.toml` in the first directory
 * `HOST_PORT_`, `HOST:PORT`, or `_default` of the first hosts directory that has one of them. Without that file, the
 * directory holds certificates in Docker's form. Throws ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function loadHosts(
  registry: string,
  options: Pick<RegistryOptions, 'hostsDirectory'> & { readonly environment: RegistryEnvironment },
): Promise<HostsFile | undefined> {
  const { hostsDirectory, environment } = options;
  if (hostsDirectory === false) return undefined;
  const named = hostsDirectory ?? environment.hostsDirectory;
  for (const root of named === undefined ? environment.hostsDirectories : [named]) {
    for (const name of directoryNames(registry)) {
      const directory = join(root, name);
      if (!(await isDirectory(directory))) continue;
      const path = join(directory, 'hosts.toml');
      const text = await readText(path);
      if (text !== undefined) return parseHostsToml(text, { path, directory });
      return { hosts: [], server: { ...plainSettings, certificateDirectory: directory } };
    }
  }
  return undefined;
}

/** Windows and some shells dislike colons, which is why containerd has another form. */
function directoryNames(registry: string): readonly string[] {
  const withPort = /^(.+):(\d+)$/.exec(registry);
  const other = withPort === null ? [] : [`${withPort[1]}_${withPort[2]}_`];
  return [...other, registry, '_default'];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unreadable(path, error);
  }
}

import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { canonicalRegistry } from '../names.ts';
import type { RegistryOptions } from '../options.ts';
import { loadHosts } from './hosts-directory.ts';
import { type HostCapability, type HostSettings, type HostsFile, plainSettings } from './hosts-toml.ts';

/** The host that serves a registry's content, and how it is spoken to. */
export interface Endpoint {
  readonly settings: HostSettings;
  /** The registry that a host stands for; undefined: it is the registry. */
  readonly namespace: string | undefined;
  /** False for hosts besides the registry, which get no credentials of the options. */
  readonly acceptsOptions: boolean;
}

/** The registry itself, as if nothing were configured. */
export const plainEndpoint: Endpoint = {
  settings: plainSettings,
  namespace: undefined,
  acceptsOptions: true,
};

/**
 * The host that serves what is not pulled through mirrors: for `push` the first of a `hosts.toml` that takes content,
 * else its server. Throws ERR_OCI_REGISTRY_BLOCKED when none takes content, ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function chooseEndpoint(
  registry: string,
  options: Pick<RegistryOptions, 'hostsDirectory'> & {
    readonly environment: RegistryEnvironment;
    readonly purpose: 'pull' | 'push';
  },
): Promise<Endpoint> {
  const file = await loadHosts(registry, options);
  if (file === undefined) return plainEndpoint;
  if (options.purpose === 'pull') return serverEndpoint(registry, file);
  const [first] = capableEndpoints(registry, { file, capability: 'push' });
  if (first === undefined) throw noHost(registry, 'push');
  return first;
}

/** The hosts of a `hosts.toml` that can do something, in order, the server last. */
export function capableEndpoints(
  registry: string,
  { file, capability }: { readonly file: HostsFile; readonly capability: HostCapability },
): readonly Endpoint[] {
  const mirrors = file.hosts.map((settings) => {
    const namespace = namespaceAt(registry, settings);
    return { settings, namespace, acceptsOptions: namespace === undefined };
  });
  return [...mirrors, serverEndpoint(registry, file)].filter(({ settings }) =>
    settings.capabilities.has(capability),
  );
}

function serverEndpoint(registry: string, { server }: HostsFile): Endpoint {
  return { settings: server, namespace: namespaceAt(registry, server), acceptsOptions: true };
}

function namespaceAt(registry: string, { url }: HostSettings): string | undefined {
  return url === undefined || canonicalRegistry(url.host) === canonicalRegistry(registry)
    ? undefined
    : registry;
}

/** The error when a `hosts.toml` leaves no host for something. */
export function noHost(registry: string, capability: HostCapability): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_BLOCKED',
    `the configuration has no host for ${registry} with the capability ${capability}`,
    { reference: registry, hint: 'hosts.toml says what each host can do; ask whoever set up this machine' },
  );
}

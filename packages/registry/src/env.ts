import { homedir } from 'node:os';
import { join } from 'node:path';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the client takes from its environment. */
export interface RegistryEnvironment {
  /** `$REGISTRY_AUTH_FILE`: the only authentication file when it is set. */
  readonly authFile: string | undefined;
  /** The other authentication files, in the order in which they are asked. */
  readonly defaultAuthFiles: readonly string[];
  /** Docker's `config.json`, which podman reads too; the last of `defaultAuthFiles`. */
  readonly dockerAuthFile: string;
  /** podman's `auth.json` that outlives a session. */
  readonly podmanAuthFile: string;
  /** Directories with one directory of certificates per `HOST[:PORT]`. */
  readonly certificateDirectories: readonly string[];
  /** `$CONTAINERS_REGISTRIES_CONF`: the only main configuration file when it is set. */
  readonly registriesConf: string | undefined;
  /** The others; the first that exists is read. */
  readonly registriesConfFiles: readonly string[];
  /** Directories with more of them, all of which are read. */
  readonly registriesConfDirectories: readonly string[];
  /** `$OCI_HOSTS_DIR`: the only directory of `hosts.toml` files when it is set. */
  readonly hostsDirectory: string | undefined;
  /** The others, in the order in which they are asked. */
  readonly hostsDirectories: readonly string[];
  /** Signature policies; the first that exists holds. */
  readonly policyFiles: readonly string[];
  /** Directories of files that say where signatures are kept; the first that exists holds. */
  readonly registriesDirectories: readonly string[];
  /** Where signatures are kept unless one of these files names another place. */
  readonly lookasideDirectory: string;
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  /** All of it, for credential helpers. */
  readonly variables: Environment;
}

/** Reads the environment; the only place of the package that looks at `process.env`. */
export function registryEnvironment(variables: Environment = process.env): RegistryEnvironment {
  const value = (name: string): string | undefined => variables[name] || undefined;
  const home = value('HOME') ?? homedir();
  const configHome = value('XDG_CONFIG_HOME') ?? join(home, '.config');
  const runtimeDirectory = value('XDG_RUNTIME_DIR');
  const dockerAuthFile = join(value('DOCKER_CONFIG') ?? join(home, '.docker'), 'config.json');
  const podmanAuthFile = join(configHome, 'containers', 'auth.json');
  return {
    authFile: value('REGISTRY_AUTH_FILE'),
    defaultAuthFiles: [
      ...(runtimeDirectory === undefined ? [] : [join(runtimeDirectory, 'containers', 'auth.json')]),
      podmanAuthFile,
      dockerAuthFile,
    ],
    dockerAuthFile,
    podmanAuthFile,
    certificateDirectories: [
      join(configHome, 'containers', 'certs.d'),
      '/etc/containers/certs.d',
      '/etc/docker/certs.d',
    ],
    registriesConf: value('CONTAINERS_REGISTRIES_CONF'),
    registriesConfFiles: [
      join(configHome, 'containers', 'registries.conf'),
      '/etc/containers/registries.conf',
      '/usr/share/containers/registries.conf',
    ],
    registriesConfDirectories: [
      '/etc/containers/registries.conf.d',
      join(configHome, 'containers', 'registries.conf.d'),
    ],
    hostsDirectory: value('OCI_HOSTS_DIR'),
    hostsDirectories: [join(configHome, 'containerd', 'certs.d'), '/etc/containerd/certs.d'],
    policyFiles: [join(configHome, 'containers', 'policy.json'), '/etc/containers/policy.json'],
    registriesDirectories: [join(configHome, 'containers', 'registries.d'), '/etc/containers/registries.d'],
    lookasideDirectory:
      process.geteuid?.() === 0
        ? '/var/lib/containers/sigstore'
        : join(home, '.local', 'share', 'containers', 'sigstore'),
    httpProxy: value('http_proxy') ?? value('HTTP_PROXY') ?? '',
    httpsProxy: value('https_proxy') ?? value('HTTPS_PROXY') ?? '',
    noProxy: value('no_proxy') ?? value('NO_PROXY') ?? '',
    variables,
  };
}

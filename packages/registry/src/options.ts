import type { OnEvent } from '@ocijs/image';

/** A user and a password, or what stands for them. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as Docker's `identitytoken`. */
  | { readonly identityToken: string }
  /** A bearer token that is sent as it is, as Docker's `registrytoken`. */
  | { readonly registryToken: string };

/** How to speak to a registry. Every field is optional. */
export interface RegistryOptions {
  /** Default: what the authentication files and helpers say. */
  readonly credentials?: Credentials | undefined;
  /**
   * The only authentication file to read; default: `$REGISTRY_AUTH_FILE`, else where podman and Docker keep
   * theirs.
   */
  readonly authFile?: string | undefined;
  /** False accepts any certificate. Default true. */
  readonly tlsVerify?: boolean | undefined;
  /** Speak HTTP without TLS. Default false; a loopback registry without TLS is recognized by itself. */
  readonly plainHttp?: boolean | undefined;
  /** PEM certificates to trust in addition. */
  readonly caFile?: string | undefined;
  /** A directory with `*.crt`, `*.cert` and `*.key`, or with one such directory per `HOST[:PORT]`. */
  readonly certificateDirectory?: string | undefined;
  /**
   * The only registries.conf to read, for mirrors, moved, blocked and insecure registries; false: none.
   * Default: those that podman reads.
   */
  readonly registriesConf?: string | false | undefined;
  /**
   * The only directory in which a `HOST[:PORT]/hosts.toml` of containerd is looked for; false: none. Default:
   * `$OCI_HOSTS_DIR`, else `~/.config/containerd/certs.d` and `/etc/containerd/certs.d`.
   */
  readonly hostsDirectory?: string | false | undefined;
  /**
   * The only `policy.json` that says which images may be pulled and how they must be signed; false: none. Default: that
   * of podman and skopeo, `~/.config/containers/policy.json`, else `/etc/containers/policy.json`.
   */
  readonly policy?: string | false | undefined;
  /**
   * The only `registries.d`, a directory of files that say where the GPG signatures of images are kept; false: none.
   * Default: that of podman and skopeo, `~/.config/containers/registries.d`, else `/etc/containers/registries.d`.
   */
  readonly registriesDirectory?: string | false | undefined;
  /** How often a failed request is repeated. Default 4. */
  readonly retry?: number | undefined;
  /**
   * About how long the first pause before a repetition is, in milliseconds; later ones double. Default 250.
   */
  readonly retryDelayMs?: number | undefined;
  /** How many blobs travel at the same time. Default 6. */
  readonly concurrency?: number | undefined;
  readonly userAgent?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Where proxies, home and authentication files are looked up. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

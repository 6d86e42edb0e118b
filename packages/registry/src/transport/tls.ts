import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostSettings } from '../config/hosts-toml.ts';
import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';

/** What TLS connections are made with. */
export interface TlsMaterial {
  readonly rejectUnauthorized: boolean;
  /** All trusted authorities; undefined means Node's own. */
  readonly ca: readonly string[] | undefined;
  /** For the registry's own origin only. */
  readonly client: { readonly cert: readonly string[]; readonly key: readonly string[] } | undefined;
}

/** Which files TLS material is made from. */
interface CertificateFiles {
  readonly authorities: readonly string[];
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
}

/** Where certificates are looked for. */
export interface TlsOptions extends RegistryOptions {
  readonly environment: RegistryEnvironment;
  /** What a `hosts.toml` names. */
  readonly settings: HostSettings;
}

/**
 * Collects certificates for a registry: the `caFile`, the `certificateDirectory`, what a `hosts.toml` names, and the
 * `certs.d` directories that podman and Docker use. Throws ERR_OCI_REGISTRY_CERTIFICATE_INVALID for what the options
 * name and cannot be read.
 */
export async function loadTlsMaterial(host: string, options: TlsOptions): Promise<TlsMaterial> {
  const { caFile, certificateDirectory, environment, settings } = options;
  const found: CertificateFiles[] = [];
  if (caFile !== undefined) found.push({ authorities: [caFile], clients: [] });
  if (certificateDirectory !== undefined) {
    const own = (await isDirectory(join(certificateDirectory, host)))
      ? join(certificateDirectory, host)
      : certificateDirectory;
    found.push(await certificateFiles(own, { required: true }));
  } else {
    for (const directory of environment.certificateDirectories) {
      found.push(await certificateFiles(join(directory, host), { required: false }));
    }
  }
  found.push(settings);
  if (settings.certificateDirectory !== undefined)
    found.push(await certificateFiles(settings.certificateDirectory, { required: false }));
  const authorities = found.flatMap((files) => files.authorities);
  const clients = found.find((files) => files.clients.length > 0)?.clients;
  const own = await Promise.all(authorities.map(readPem));
  return {
    rejectUnauthorized: options.tlsVerify ?? true,
    ca: own.length === 0 ? undefined : [...(await defaultAuthorities()), ...own],
    client:
      clients === undefined
        ? undefined
        : {
            cert: await Promise.all(clients.map(({ cert }) => readPem(cert))),
            key: await Promise.all(clients.map(({ key }) => readPem(key))),
          },
  };
}

/** Loaded for those who need it: it takes long, and most registries have no authority of their own. */
async function defaultAuthorities(): Promise<readonly string[]> {
  const { getCACertificates } = await import('node:tls');
  return getCACertificates('default');
}

async function certificateFiles(
  directory: string,
  { required }: { readonly required: boolean },
): Promise<CertificateFiles> {
  let names: string[];
  try {
    names = (await readdir(directory)).sort();
  } catch (error) {
    if (!required && isAbsent(error)) return { authorities: [], clients: [] };
    throw unusable(directory, error);
  }
  const paths = (ending: string): string[] =>
    names.filter((name) => name.endsWith(ending)).map((name) => join(directory, name));
  const cert = paths('.cert')[0];
  if (cert === undefined) return { authorities: paths('.crt'), clients: [] };
  const key = cert.replace(/\.cert$/, '.key');
  if (!paths('.key').includes(key)) {
    throw new RegistryError('ERR_OCI_REGISTRY_CERTIFICATE_INVALID', `certificate ${cert} has no key`, {
      path: key,
      hint: `put the private key into ${key}`,
    });
  }
  return { authorities: paths('.crt'), clients: [{ cert, key }] };
}

async function readPem(path: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > limits.certificateFileBytes)
      throw new Error(`larger than ${limits.certificateFileBytes} bytes`);
    text = await readFile(path, 'latin1');
  } catch (error) {
    throw unusable(path, error);
  }
  if (!text.includes('-----BEGIN ')) throw unusable(path, new Error('not in PEM form'));
  return text;
}

function unusable(path: string, cause: unknown): RegistryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RegistryError(
    'ERR_OCI_REGISTRY_CERTIFICATE_INVALID',
    `cannot use certificates in ${path}: ${reason}`,
    {
      path,
      cause,
    },
  );
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unusable(path, error);
  }
}

/** Default directories may be missing, or be another user's. */
function isAbsent(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES';
}

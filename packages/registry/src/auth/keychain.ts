import type { OnEvent } from '@ocijs/image';
import { loadRegistriesConf } from '../config/load.ts';
import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import type { Credentials } from '../options.ts';
import { type AuthFile, matchAuths, readAuthFile } from './docker-config.ts';
import type { HelperRequest } from './helper.ts';
import { askHelperOnce } from './helper-cache.ts';

/** Whose credentials are looked for, and where. */
export interface KeychainRequest {
  /** As people name it: `docker.io`, `HOST[:PORT]`. */
  readonly registry: string;
  /** For files with credentials per namespace. */
  readonly repository?: string | undefined;
  /** The only registries.conf to read for `credential-helpers`; false: none. */
  readonly registriesConf?: string | false | undefined;
  /** The only file to read, when a person named one. */
  readonly authFile?: string | undefined;
  readonly environment: RegistryEnvironment;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** The key under which Docker and its helpers keep a registry. */
export function serverKey(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

/**
 * Looks for credentials where `credential-helpers` of a registries.conf says, else in the authentication files, in
 * order; within a file: the host's own helper, then the longest matching namespace, then the helper for everything.
 * Undefined means: be anonymous.
 */
export async function findCredentials(request: KeychainRequest): Promise<Credentials | undefined> {
  return (await locateCredentials(request))?.credentials;
}

/** Credentials, and where they were found. */
export interface LocatedCredentials {
  readonly credentials: Credentials;
  /** A file, or a helper and what names it. */
  readonly from: string;
}

/** As {@link findCredentials}, and says where. */
export async function locateCredentials(request: KeychainRequest): Promise<LocatedCredentials | undefined> {
  const { environment, authFile } = request;
  if (authFile !== undefined) return findInFiles(request);
  const { credentialHelpers } = await loadRegistriesConf(environment, request);
  for (const name of credentialHelpers ?? [authFiles]) {
    const found = name === authFiles ? await findInFiles(request) : await askStore(name, configured(request));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What `credential-helpers` of a registries.conf calls the authentication files. */
export const authFiles = 'containers-auth.json';

function configured(request: KeychainRequest): StoreRequest {
  // podman keeps Docker Hub under its plain name there.
  return { ...request, namedBy: 'registries.conf', server: request.registry };
}

async function findInFiles(request: KeychainRequest): Promise<LocatedCredentials | undefined> {
  const { environment } = request;
  const named = request.authFile ?? environment.authFile;
  for (const path of named === undefined ? environment.defaultAuthFiles : [named]) {
    request.signal?.throwIfAborted();
    const file = await readAuthFile(path);
    if (file === undefined && request.authFile !== undefined) {
      throw new RegistryError(
        'ERR_OCI_REGISTRY_CREDENTIALS_INVALID',
        `authentication file ${path} does not exist`,
        {
          path,
          hint: 'check the path given with --authfile',
        },
      );
    }
    const found = file === undefined ? undefined : await findInFile(file, request);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function findInFile(file: AuthFile, request: KeychainRequest): Promise<LocatedCredentials | undefined> {
  const { registry, repository } = request;
  const own = file.credHelpers.get(registry);
  if (own !== undefined) {
    const found = await askHelperOnce(own, question(request));
    if (found !== undefined) return { credentials: found, from: helperName(own, file.path) };
  }
  const match = matchAuths(file, { registry, repository });
  if (match !== undefined) return { credentials: match, from: file.path };
  if (file.credsStore === undefined) return undefined;
  return askStore(file.credsStore, { ...request, namedBy: file.path });
}

function helperName(name: string, namedBy: string): string {
  return `docker-credential-${name} (${namedBy})`;
}

interface StoreRequest extends KeychainRequest {
  /** For the message. */
  readonly namedBy: string;
  /** The key to ask for, where it is not the one that Docker uses. */
  readonly server?: string;
}

function question({
  registry,
  environment,
  signal,
  server = serverKey(registry),
}: KeychainRequest & { readonly server?: string }): HelperRequest {
  return { server, env: environment.variables, signal };
}

/**
 * A store that is configured for all hosts but not installed must not keep public images from being pulled.
 */
async function askStore(name: string, request: StoreRequest): Promise<LocatedCredentials | undefined> {
  const { namedBy, onEvent } = request;
  try {
    const found = await askHelperOnce(name, question(request));
    return found === undefined ? undefined : { credentials: found, from: helperName(name, namedBy) };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.facts.errno !== 'ENOENT') throw error;
    const message = `${error.message}, though ${namedBy} names it; going on without credentials`;
    onEvent?.({ type: 'warning', code: error.code, message });
    return undefined;
  }
}

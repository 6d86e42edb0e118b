import type { OnEvent } from '@ocijs/image';
import type { RegistryEnvironment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import type { Credentials } from '../options.ts';
import { type AuthFile, matchAuths, readAuthFile } from './docker-config.ts';
import { askHelper } from './helper.ts';

/** Whose credentials are looked for, and where. */
export interface KeychainRequest {
  /** As people name it: `docker.io`, `HOST[:PORT]`. */
  readonly registry: string;
  /** For files with credentials per namespace. */
  readonly repository?: string | undefined;
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
 * Looks for credentials in the authentication files, in order; within a file: the host's own helper, then the
 * longest matching namespace, then the helper for everything. Undefined means: be anonymous.
 */
export async function findCredentials(request: KeychainRequest): Promise<Credentials | undefined> {
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

async function findInFile(file: AuthFile, request: KeychainRequest): Promise<Credentials | undefined> {
  const { registry, repository, environment, signal } = request;
  const ask = { server: serverKey(registry), env: environment.variables, signal };
  const own = file.credHelpers.get(registry);
  if (own !== undefined) {
    const found = await askHelper(own, ask);
    if (found !== undefined) return found;
  }
  const match = matchAuths(file, { registry, repository });
  if (match !== undefined || file.credsStore === undefined) return match;
  return askStore(file, { ...request, ask });
}

/**
 * A store that is configured for all hosts but not installed must not keep public images from being pulled.
 */
async function askStore(
  { credsStore = '', path }: AuthFile,
  { ask, onEvent }: KeychainRequest & { readonly ask: Parameters<typeof askHelper>[1] },
): Promise<Credentials | undefined> {
  try {
    return await askHelper(credsStore, ask);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.facts.errno !== 'ENOENT') throw error;
    const message = `${error.message}, though ${path} names it; going on without credentials`;
    onEvent?.({ type: 'warning', code: error.code, message });
    return undefined;
  }
}

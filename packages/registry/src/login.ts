import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { type AuthFile, readAuthFile } from './auth/docker-config.ts';
import { editAuthFile } from './auth/edit-auth-file.ts';
import { type StorableCredentials, storeInHelper } from './auth/helper.ts';
import { authFiles, serverKey } from './auth/keychain.ts';
import { loadRegistriesConf } from './config/load.ts';
import { endpoints } from './endpoints.ts';
import { type RegistryEnvironment, registryEnvironment } from './env.ts';
import { RegistryError } from './errors.ts';
import { type LoginTarget, parseLoginTarget } from './login-target.ts';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';

/** Options of {@link login}. */
export interface LoginOptions extends RegistryOptions {
  readonly credentials: StorableCredentials;
}

/** Where credentials are now. It holds no secret. */
export interface LoginReport {
  /** `HOST[:PORT]` or `HOST[:PORT]/NAMESPACE`. */
  readonly registry: string;
  /** Undefined for an identity token. */
  readonly username: string | undefined;
  /** The authentication file; undefined when a helper that a registries.conf names has all. */
  readonly path: string | undefined;
  /** The credential helper that has the secret. */
  readonly helper: string | undefined;
  /** False when the registry did not ask for credentials, so that they may be wrong. */
  readonly verified: boolean;
}

/**
 * Asks a registry whether credentials are good and keeps them where Docker and podman look for them: in the
 * file of the options or `$REGISTRY_AUTH_FILE`; else where `credential-helpers` of a registries.conf says first;
 * else in the first of their files that exists; else in Docker's, which both read. When the file names a credential
 * helper for the registry, the helper gets them.
 *
 * Throws ERR_OCI_REGISTRY_UNAUTHORIZED (nothing is written then), ERR_OCI_REGISTRY_CREDENTIALS_INVALID,
 * ERR_OCI_REGISTRY_CREDENTIAL_HELPER, other {@link RegistryError}, `signal.reason`.
 */
export async function login(registry: string, options: LoginOptions): Promise<LoginReport> {
  const { credentials, signal } = options;
  signal?.throwIfAborted();
  const target = parseLoginTarget(registry);
  checkCredentials(credentials);
  const environment = registryEnvironment(options.env);
  const place = await choosePlace(target, { ...options, environment });
  const verified = await verify(target, options);
  if (place.helper !== undefined) {
    await storeInHelper(place.helper, {
      server: place.server,
      credentials,
      env: environment.variables,
      signal,
    });
  }
  const { path, helper } = place;
  const entry = helper === undefined ? credentials : 'in-helper';
  if (path !== undefined) await editAuthFile(path, { name: target.name, entry, signal });
  const username = 'username' in credentials ? credentials.username : undefined;
  return { registry: target.name, username, path, helper, verified };
}

function checkCredentials(credentials: StorableCredentials): void {
  const problem = problemOf(credentials);
  if (problem === undefined) return;
  throw new RegistryError('ERR_OCI_REGISTRY_CREDENTIALS_INVALID', problem);
}

function problemOf(credentials: StorableCredentials): string | undefined {
  if ('identityToken' in credentials) {
    return credentials.identityToken === '' ? 'identity token is empty' : undefined;
  }
  if (credentials.username === '') return 'user name is empty';
  // HTTP's Basic scheme ends the user at the first colon (RFC 7617).
  if (credentials.username.includes(':')) return 'user name holds a colon';
  return credentials.password === '' ? 'password is empty' : undefined;
}

type Place =
  | { readonly path: string; readonly helper: undefined }
  /** `server` is what the helper calls the registry; `path` the file that names the helper. */
  | { readonly path: string | undefined; readonly helper: string; readonly server: string };

interface Choice extends Pick<RegistryOptions, 'authFile' | 'registriesConf'> {
  readonly environment: RegistryEnvironment;
}

async function choosePlace(target: LoginTarget, choice: Choice): Promise<Place> {
  const { authFile, environment } = choice;
  const named = authFile ?? environment.authFile;
  if (named === undefined) {
    const helper = await configuredHelper(target, choice);
    if (helper !== undefined) return { path: undefined, helper, server: target.registry };
  }
  const path = named ?? (await defaultFile(target, environment));
  const file = await readAuthFile(path);
  const helper = file === undefined ? undefined : helperOf(file, target.registry);
  const isKept = target.namespace === undefined || (helper === undefined && !isDockers(path));
  if (!isKept) throw cannotKeep(target, { path, helper });
  return helper === undefined ? { path, helper } : { path, helper, server: serverKey(target.registry) };
}

/** The first place of `credential-helpers` that can keep it, unless that is the files; helpers know no namespaces. */
async function configuredHelper(
  { namespace }: LoginTarget,
  { environment, registriesConf }: Choice,
): Promise<string | undefined> {
  const { credentialHelpers = [] } = await loadRegistriesConf(environment, { registriesConf });
  const first = credentialHelpers.find((name) => name === authFiles || namespace === undefined);
  return first === authFiles ? undefined : first;
}

function cannotKeep(
  target: LoginTarget,
  { path, helper }: { readonly path: string; readonly helper: string | undefined },
): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_CREDENTIALS_INVALID',
    `${helper === undefined ? path : `docker-credential-${helper}`} cannot keep credentials for ${target.name}`,
    { path, hint: `log in to all of ${target.registry}, or name a file of podman's with --authfile` },
  );
}

/** Docker takes an entry for a namespace as one for the whole host: its file never gets one. */
async function defaultFile({ namespace }: LoginTarget, environment: RegistryEnvironment): Promise<string> {
  const usable = environment.defaultAuthFiles.filter((path) => namespace === undefined || !isDockers(path));
  for (const path of usable) if (await exists(path)) return path;
  return namespace === undefined ? environment.dockerAuthFile : environment.podmanAuthFile;
}

function isDockers(path: string): boolean {
  return basename(path) === 'config.json';
}

/** The helper that has a registry's credentials, as the file says. */
export function helperOf(file: AuthFile, registry: string): string | undefined {
  return file.credHelpers.get(registry) ?? file.credsStore;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function verify({ registry }: LoginTarget, options: LoginOptions): Promise<boolean> {
  const { signal } = options;
  await using session = createSession(registry, options);
  const request = {
    method: 'GET',
    target: endpoints.base(),
    what: `login to ${registry}`,
    accept: [200],
    scopes: [],
    signal,
  } as const;
  await session.retrying(async () => (await session.request(request)).discard(), { signal });
  if (!session.authenticated) {
    const message = `${registry} did not ask for credentials: whether they are right is not known`;
    options.onEvent?.({ type: 'warning', code: 'LOGIN_NOT_VERIFIED', message });
  }
  return session.authenticated;
}

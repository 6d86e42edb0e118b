import { readFile, stat } from 'node:fs/promises';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';
import { canonicalRegistry } from '../names.ts';
import type { Credentials } from '../options.ts';

/** An authentication file in the form that Docker (`config.json`) and podman (`auth.json`) share. */
export interface AuthFile {
  readonly path: string;
  /** By normalized key: `HOST[:PORT]` or `HOST[:PORT]/NAMESPACE`. */
  readonly auths: ReadonlyMap<string, Credentials>;
  /** Helper names by `HOST[:PORT]`. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The helper for all hosts that nothing else in the file covers. */
  readonly credsStore: string | undefined;
}

/**
 * Reads an authentication file; undefined when it does not exist. Throws
 * ERR_OCI_REGISTRY_CREDENTIALS_INVALID, naming the file and the key but never what is in it.
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > limits.authFileBytes) throw invalid(path, `is larger than ${limits.authFileBytes} bytes`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof RegistryError) throw error;
    throw invalid(path, `cannot be read (${String(code)})`, error);
  }
  return parseAuthFile(text, path);
}

/** Everything in an authentication file, known or not. An empty file holds nothing. */
export function parseAuthDocument(text: string, path: string): Readonly<Record<string, unknown>> {
  return text.trim() === '' ? {} : record(parse(text, path), { path, key: '$' });
}

/** Parses the text of an authentication file; `path` is for messages. */
export function parseAuthFile(text: string, path: string): AuthFile {
  const root = parseAuthDocument(text, path);
  const auths = new Map<string, Credentials>();
  const entries = record(root['auths'] ?? {}, { path, key: 'auths' });
  for (const [key, entry] of Object.entries(entries)) {
    const credentials = readEntry(entry, { path, key });
    const name = normalizeKey(key);
    // An exact key wins over one that only becomes equal by normalization.
    if (credentials !== undefined && (!auths.has(name) || name === key)) auths.set(name, credentials);
  }
  const credHelpers = new Map<string, string>();
  for (const [key, name] of Object.entries(record(root['credHelpers'] ?? {}, { path, key: 'credHelpers' }))) {
    if (typeof name === 'string' && name !== '') credHelpers.set(normalizeKey(key), name);
  }
  const store = root['credsStore'];
  return {
    path,
    auths,
    credHelpers,
    credsStore: typeof store === 'string' && store !== '' ? store : undefined,
  };
}

/** The host of an `auths` key, which may be a URL, as old versions of Docker wrote it. */
export function keyHostname(key: string): string {
  const withoutScheme = key.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?!\/)/, '');
  const host = withoutScheme.split('/')[0] ?? '';
  const isUrl = withoutScheme !== key;
  // A bare IPv6 address with a port, which only a URL can be told apart from an address.
  const bare = isUrl ? /^([0-9A-Fa-f]*:[0-9A-Fa-f:]*):(\d+)$/.exec(host) : null;
  return bare === null ? host : `[${bare[1]}]:${bare[2]}`;
}

/** URLs and `…/v1`, `…/v2` become their host; `HOST/NAMESPACE` stays. Docker Hub is `docker.io`. */
export function normalizeKey(key: string): string {
  const isUrl = key.includes('://');
  const name = isUrl ? keyHostname(key) : key.replace(/\/+$/, '').replace(/\/v[12]$/, '');
  const slash = name.indexOf('/');
  if (slash < 0) return canonicalRegistry(name);
  return canonicalRegistry(name.slice(0, slash)) + name.slice(slash);
}

/** Credentials of the longest key that is a prefix of `HOST[:PORT]/REPOSITORY` by whole components. */
export function matchAuths(
  { auths }: AuthFile,
  { registry, repository }: { readonly registry: string; readonly repository: string | undefined },
): Credentials | undefined {
  const parts = repository === undefined ? [] : repository.split('/');
  for (let length = parts.length; length >= 0; length--) {
    const found = auths.get([registry, ...parts.slice(0, length)].join('/'));
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Place {
  readonly path: string;
  readonly key: string;
}

function readEntry(entry: unknown, place: Place): Credentials | undefined {
  const { auth, username, password, identitytoken, registrytoken } = record(entry, place);
  if (isText(identitytoken)) return { identityToken: identitytoken };
  if (isText(registrytoken)) return { registryToken: registrytoken };
  if (isText(auth)) return decodeAuth(auth, place);
  return isText(username) && isText(password) ? { username, password } : undefined;
}

function decodeAuth(auth: string, { path, key }: Place): Credentials | undefined {
  const pair = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = pair.indexOf(':');
  if (colon < 0) throw invalid(path, `has no base64 of USER:PASSWORD for ${key}`);
  const credentials = { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
  return credentials.username === '' && credentials.password === '' ? undefined : credentials;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the file, and so perhaps a password.
    throw invalid(path, 'is not JSON');
  }
}

function record(value: unknown, { path, key }: Place): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid(path, `has no object at ${key}`);
}

function invalid(path: string, reason: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_CREDENTIALS_INVALID', `authentication file ${path} ${reason}`, {
    path,
    cause,
    hint: 'repair or remove the file, or name another one with --authfile',
  });
}

/** Secrets by their ids, as `--secret` gives them. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

/**
 * What a server is told about who asks, from the secrets that BuildKit takes it from: `HTTP_AUTH_HEADER_host` (the whole
 * value) and `HTTP_AUTH_TOKEN_host` (a bearer token), or the user and password of the URL.
 */
export function authorizationFor(url: URL, secrets: Secrets | undefined): string | undefined {
  const header = textOf(secrets, `HTTP_AUTH_HEADER_${url.host}`);
  if (header !== undefined) return header;
  const token = textOf(secrets, `HTTP_AUTH_TOKEN_${url.host}`);
  if (token !== undefined) return `Bearer ${token}`;
  if (url.username === '' && url.password === '') return undefined;
  return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
}

/** The same for git: `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN`, each also with `.host` behind it, which goes first. */
export function gitAuthorizationFor(host: string, secrets: Secrets | undefined): string | undefined {
  for (const suffix of [`.${host}`, '']) {
    const header = textOf(secrets, `GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return header;
    const token = textOf(secrets, `GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined) return basic('x-access-token', token);
  }
  return undefined;
}

function textOf(secrets: Secrets | undefined, id: string): string | undefined {
  const value = secrets?.get(id);
  return value === undefined ? undefined : Buffer.from(value).toString('utf8').trim();
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

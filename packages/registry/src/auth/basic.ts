/** The value of an `Authorization` header for user and password (RFC 7617). */
export function basicHeader({
  username,
  password,
}: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

/** Every form in which a secret of an `Authorization` header could come back in a registry's text. */
export function secretsOf(authorization: string | undefined): readonly string[] {
  if (authorization === undefined) return [];
  const value = authorization.slice(authorization.indexOf(' ') + 1);
  if (!authorization.startsWith('Basic ')) return [value];
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const password = pair.slice(pair.indexOf(':') + 1);
  return [value, pair, password];
}

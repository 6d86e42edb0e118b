import { limits } from '../limits.ts';

/** Query parameters of the distribution specification and of token requests that are no secrets. */
const harmlessParameters: ReadonlySet<string> = new Set([
  'n',
  'last',
  'digest',
  'mount',
  'from',
  'ns',
  'artifactType',
  'service',
  'scope',
]);

/** A URL for people: without user, password, fragment, and without values that may be signatures or keys. */
export function redactUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url;
  if (parsed === null) return '(not a URL)';
  const query = [...parsed.searchParams]
    .map(([name, value]) =>
      harmlessParameters.has(name) ? `${name}=${value}` : `${encodeURIComponent(name)}=***`,
    )
    .join('&');
  const path = parsed.pathname + (query === '' ? '' : `?${query}`);
  return printable(`${parsed.protocol}//${parsed.host}${path}`);
}

/** Foreign text for a message: one line, no control characters, of limited length. */
export function printable(text: string): string {
  // Control characters, and the marks of text direction, which can hide what a terminal shows.
  const clean = text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return clean.length > limits.messageLength ? `${clean.slice(0, limits.messageLength)}…` : clean;
}

/** Takes secrets that were sent out of a text that came back. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length > 3)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

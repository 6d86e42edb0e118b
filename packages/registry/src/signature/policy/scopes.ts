import { formatReference, type Reference } from '@ocijs/image';

/**
 * The scopes that an image in a registry belongs to, the longest first: its full name, its repository, the namespaces
 * above it, its host, and `*.DOMAIN` for the domains above that (containers-policy.json(5), "docker:").
 */
export function* scopesOf({ registry, repository, tag, digest }: Reference): Generator<string> {
  // With a digest the tag says nothing of what is fetched.
  const version = digest !== undefined ? { digest } : tag === undefined ? {} : { tag };
  yield formatReference({ registry, repository, ...version });
  const parts = repository.split('/');
  for (let length = parts.length; length > 0; length--) yield [registry, ...parts.slice(0, length)].join('/');
  yield registry;
  // A wildcard stands for hosts below a domain, whatever their port.
  const labels = registry.replace(/:\d+$/, '').split('.');
  for (let skipped = 1; skipped < labels.length; skipped++) yield `*.${labels.slice(skipped).join('.')}`;
}

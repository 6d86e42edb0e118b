import { formatReference, type Reference } from '@ocijs/image';
import type { Policy, PolicyRequirement } from './types.ts';

/**
 * What a policy asks of an image in a registry: the requirements of the longest scope that fits, which is the image's
 * full name, its repository, a namespace above it, its host, or `*.DOMAIN`; else those of the transport `docker`; else
 * the default (containers-policy.json(5), "docker:").
 */
export function findRequirements(policy: Policy, reference: Reference): readonly PolicyRequirement[] {
  const scopes = policy.transports.get('docker');
  if (scopes === undefined) return policy.default;
  for (const scope of scopesOf(reference)) {
    const found = scopes.get(scope);
    if (found !== undefined) return found;
  }
  return scopes.get('') ?? policy.default;
}

function* scopesOf({ registry, repository, tag, digest }: Reference): Generator<string> {
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

import type { Reference } from '@ocijs/image';
import { scopesOf } from './scopes.ts';
import type { Policy, PolicyRequirement } from './types.ts';

/**
 * What a policy asks of an image in a registry: the requirements of the longest scope that fits; else those of the
 * transport `docker`; else the default (containers-policy.json(5), "docker:").
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

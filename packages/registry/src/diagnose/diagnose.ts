import { formatReference, parseReference, type Reference } from '@ocijs/image';
import { pullSources } from '../config/sources.ts';
import { registryEnvironment } from '../env.ts';
import type { RegistryOptions } from '../options.ts';
import type { Finding } from './finding.ts';
import { diagnosePlace } from './place.ts';

/**
 * Finds out how a reference would be pulled, and what may keep it from that: the mirrors in their order, and for each
 * place address, certificate, credentials, the API, the clock, the image, ranges, referrers and rate limit. What does not
 * work is a finding; thrown are ERR_OCI_REGISTRY_CONFIG_INVALID, ERR_OCI_REGISTRY_BLOCKED and `signal.reason`.
 */
export async function diagnose(
  name: string | Reference,
  options: RegistryOptions = {},
): Promise<readonly Finding[]> {
  options.signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const environment = registryEnvironment(options.env);
  const sources = await pullSources(reference, { ...options, retry: 0 });
  const order = sources.map((source) => formatReference(source.reference)).join(', then ');
  const findings: Finding[] = [{ name: 'order', verdict: 'ok', found: order }];
  for (const source of sources) {
    options.signal?.throwIfAborted();
    findings.push(...(await diagnosePlace(source, environment)));
  }
  return findings;
}

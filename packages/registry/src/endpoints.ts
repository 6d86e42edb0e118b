import type { Digest } from '@ocijs/image';
import type { Endpoint } from './config/endpoint.ts';
import { checkRepository, defaultScheme } from './names.ts';
import { speaksTls } from './transport/speaks-tls.ts';

/** Paths of the distribution specification's end points. */
export const endpoints = {
  base: (): string => '/v2/',
  manifest: (repository: string, reference: string): string =>
    `/v2/${checkRepository(repository)}/manifests/${reference}`,
  blob: (repository: string, digest: Digest): string => `/v2/${checkRepository(repository)}/blobs/${digest}`,
  uploads: (repository: string): string => `/v2/${checkRepository(repository)}/blobs/uploads/`,
  mount: (repository: string, { digest, from }: { readonly digest: Digest; readonly from: string }): string =>
    `/v2/${checkRepository(repository)}/blobs/uploads/?${new URLSearchParams({ mount: digest, from: checkRepository(from) })}`,
  tags: (repository: string, pageSize: number): string =>
    `/v2/${checkRepository(repository)}/tags/list?n=${pageSize}`,
  catalog: (pageSize: number): string => `/v2/_catalog?n=${pageSize}`,
  referrers: (
    repository: string,
    { digest, artifactType }: { readonly digest: Digest; readonly artifactType?: string | undefined },
  ): string =>
    `/v2/${checkRepository(repository)}/referrers/${digest}${artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`}`,
} as const;

/**
 * The URL of an end point: its path below the host's own instead of `/v2`, and for a host that stands for another
 * registry, which one is meant (`ns`, the distribution specification's proxy mode).
 */
export function endpointUrl(
  target: string,
  { base, endpoint }: { readonly base: URL; readonly endpoint: Endpoint },
): URL {
  const { settings, namespace } = endpoint;
  const path = settings.url === undefined ? '/v2' : settings.url.pathname.replace(/\/$/, '');
  const url = new URL(target.replace(/^\/v2(?=\/)/, path), base);
  if (namespace !== undefined) url.searchParams.set('ns', namespace);
  return url;
}

/**
 * The origin of a registry: https, except with `plainHttp`, or for a registry on this machine, or one that is
 * configured as `insecure`, that does not speak TLS at its port.
 */
export async function registryOrigin(
  host: string,
  { plainHttp, insecure }: { readonly plainHttp: boolean; readonly insecure: boolean },
): Promise<URL> {
  if (plainHttp) return new URL(`http://${host}`);
  if (defaultScheme(host) === 'https' && !insecure) return new URL(`https://${host}`);
  return new URL(`${(await speaksTls(host)) ? 'https' : 'http'}://${host}`);
}

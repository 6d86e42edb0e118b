import { connect } from 'node:tls';
import type { Digest } from '@ocijs/image';
import type { Endpoint } from './config/endpoint.ts';
import { timeouts } from './limits.ts';
import { checkRepository, defaultScheme, portOf } from './names.ts';
import { hostnameOf, isLocalhostName } from './transport/address.ts';
import { createLookup } from './transport/lookup.ts';

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

/** Tries a TLS handshake; no request is sent, and the certificate is the business of the real connection. */
function speaksTls(host: string): Promise<boolean> {
  const hostname = hostnameOf(host);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: portOf(host) ?? 443,
      rejectUnauthorized: false,
      lookup: createLookup({ guarded: false }),
      ...(isLocalhostName(hostname) ? { servername: hostname } : {}),
    });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeouts.schemeProbe, () => finish(false));
    socket.once('secureConnect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

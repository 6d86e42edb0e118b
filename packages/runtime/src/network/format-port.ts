import type { PortMapping } from './types.ts';

/** `127.0.0.1:8080/tcp`, the host's side of a mapping. */
export function formatPort({ hostIp, hostPort, protocol }: PortMapping): string {
  const address = hostIp === undefined ? '' : hostIp.includes(':') ? `[${hostIp}]:` : `${hostIp}:`;
  return `${address}${hostPort}/${protocol}`;
}

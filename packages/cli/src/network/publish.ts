import { isIP, isIPv4 } from 'node:net';
import type { PortMapping, PortProtocol } from '@ocijs/runtime';
import { usageError } from '../errors.ts';

const protocols: readonly string[] = ['tcp', 'udp', 'sctp'] satisfies PortProtocol[];

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `-p [IP:][HOST]:CONTAINER[/PROTOCOL]` with ranges `8000-8010`; without HOST the kernel chooses. Throws ERR_OCI_USAGE. */
export function parsePublish(text: string): readonly PortMapping[] {
  const { ports, protocol } = splitProtocol(text);
  const match = /^(?:(?:\[([^\]]+)\]|([\d.]*)):)?(?:(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)$/.exec(ports);
  const [, ipv6, ipv4, hostText, containerText = ''] = bareHost(match);
  const hostIp = ipv6 ?? (ipv4 === '' ? undefined : ipv4);
  const container = range(containerText);
  const host = hostText === undefined ? undefined : range(hostText);
  if (match === null || container === undefined || protocol === undefined) throw notPort(text);
  if (hostText !== undefined && host === undefined) throw notPort(text);
  if (hostIp !== undefined && (isIP(hostIp) === 0 || (ipv4 !== undefined && !isIPv4(hostIp))))
    throw notPort(text);
  if (host !== undefined && length(host) !== length(container)) {
    throw usageError(`--publish ${JSON.stringify(text)} has ranges of different lengths`);
  }
  return Array.from({ length: length(container) }, (_, index) => ({
    ...(hostIp === undefined || hostIp === '0.0.0.0' ? {} : { hostIp }),
    hostPort: host === undefined ? 0 : host.first + index,
    containerPort: container.first + index,
    protocol,
  }));
}

/** In `8080:80` what stands before the colon is a port, though digits are the beginning of an address, too. */
function bareHost(match: RegExpExecArray | null): readonly (string | undefined)[] {
  if (match === null) return [];
  const [all, ipv6, ipv4, host, container] = match;
  const isPort = ipv4 !== undefined && host === undefined && /^\d+$/.test(ipv4);
  return isPort ? [all, undefined, undefined, ipv4, container] : [all, ipv6, ipv4, host, container];
}

/** Reads a port of `--expose` or of an image: `80`, `80/udp`, `8000-8010/tcp`. Throws ERR_OCI_USAGE. */
export function parseExposed(text: string): readonly PortMapping[] {
  const { ports, protocol } = splitProtocol(text);
  const container = range(ports);
  if (container === undefined || protocol === undefined)
    throw usageError(`exposed port ${JSON.stringify(text)} is not PORT[-PORT][/PROTOCOL]`);
  return Array.from({ length: length(container) }, (_, index) => ({
    hostPort: 0,
    containerPort: container.first + index,
    protocol,
  }));
}

function splitProtocol(text: string): {
  readonly ports: string;
  readonly protocol: PortProtocol | undefined;
} {
  const slash = text.indexOf('/');
  const name = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  const protocol = protocols.includes(name) ? (name as PortProtocol) : undefined;
  return { ports: slash < 0 ? text : text.slice(0, slash), protocol };
}

function range(text: string): PortRange | undefined {
  const [first = Number.NaN, last = first] = text.split('-').map(Number);
  const isRange = first >= 1 && last >= first && last <= 65_535;
  return isRange ? { first, last } : undefined;
}

function length({ first, last }: PortRange): number {
  return last - first + 1;
}

function notPort(text: string): Error {
  return usageError(
    `--publish ${JSON.stringify(text)} is not [IP:][HOST_PORT]:CONTAINER_PORT[/tcp|udp|sctp]`,
    'for example 8080:80, 127.0.0.1:8080:80 or 5000-5010:5000-5010/udp',
  );
}

/** Ports for people, as Docker shows them: `0.0.0.0:8080->80/tcp`. */
export function formatPorts(ports: readonly PortMapping[]): string {
  return ports
    .map(({ hostIp = '0.0.0.0', hostPort, containerPort, protocol }) => {
      const address = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
      return `${address}:${hostPort}->${containerPort}/${protocol}`;
    })
    .join(', ');
}

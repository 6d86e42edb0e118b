import { BlockList, isIP } from 'node:net';

/** What an IP address reaches, as far as its number says; `name` is not an address. */
export type AddressKind = 'loopback' | 'link-local' | 'private' | 'public' | 'name';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Addresses that reach the own machine or its cloud's metadata service, whatever network one is in. */
const linkLocal = new BlockList();
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
linkLocal.addSubnet('0.0.0.0', 8, 'ipv4');
linkLocal.addAddress('100.100.100.200', 'ipv4');
linkLocal.addSubnet('fe80::', 10, 'ipv6');
linkLocal.addAddress('::', 'ipv6');
linkLocal.addAddress('fd00:ec2::254', 'ipv6');

const privateUse = new BlockList();
privateUse.addSubnet('10.0.0.0', 8, 'ipv4');
privateUse.addSubnet('172.16.0.0', 12, 'ipv4');
privateUse.addSubnet('192.168.0.0', 16, 'ipv4');
privateUse.addSubnet('100.64.0.0', 10, 'ipv4');
privateUse.addSubnet('fc00::', 7, 'ipv6');

const metadataNames: ReadonlySet<string> = new Set(['metadata', 'metadata.google.internal', 'instance-data']);
/** Top-level names that are reserved or will never be given to anybody. */
const privateSuffixes = ['.local', '.internal', '.lan', '.home.arpa', '.home', '.corp', '.test'];

/** Classifies a host name or address; IPv6 with or without brackets. */
export function addressKind(hostname: string): AddressKind {
  const address = hostname.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const version = isIP(address);
  if (version === 0) return 'name';
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (loopback.check(address, family)) return 'loopback';
  if (linkLocal.check(address, family)) return 'link-local';
  return privateUse.check(address, family) ? 'private' : 'public';
}

/** The host of `HOST[:PORT]`, without brackets, and without the dot that ends a fully qualified name. */
export function hostnameOf(host: string): string {
  if (isIP(host) === 6) return host;
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** True for `localhost`, `*.localhost` (RFC 6761), 127.0.0.0/8 and ::1, with or without a port. */
export function isLoopbackHost(host: string): boolean {
  const hostname = hostnameOf(host).toLowerCase();
  return isLocalhostName(hostname) || addressKind(hostname) === 'loopback';
}

/** True for the names that RFC 6761 reserves for loopback. */
export function isLocalhostName(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost');
}

/** True for names of cloud metadata services and for addresses that are never a registry's business. */
export function isForbiddenTarget(hostname: string): boolean {
  return metadataNames.has(hostnameOf(hostname)) || addressKind(hostname) === 'link-local';
}

/** True when a host is not on the public internet by its address or by the form of its name. */
export function isPrivateHost(host: string): boolean {
  const hostname = hostnameOf(host).toLowerCase();
  const kind = addressKind(hostname);
  if (kind !== 'name') return kind !== 'public';
  return (
    isLocalhostName(hostname) ||
    !hostname.includes('.') ||
    privateSuffixes.some((suffix) => hostname.endsWith(suffix))
  );
}

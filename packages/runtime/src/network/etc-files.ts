import { isIP } from 'node:net';

/** What people asked of name resolution; each replaces what the host says of it. */
export interface NameServers {
  readonly servers?: readonly string[];
  /** `.` alone means none. */
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** Google's, as Docker has them for a host that names none that a container could reach. */
const publicServers = ['8.8.8.8', '8.8.4.4'];

interface ResolverFile {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads resolv.conf(5): every `nameserver`, the last `search` or `domain`, all `options`. */
function parseResolverFile(text: string): ResolverFile {
  const lines = text
    .split('\n')
    .map((line) =>
      line
        .replace(/[#;].*$/, '')
        .trim()
        .split(/\s+/),
    )
    .filter(([keyword]) => keyword !== '');
  const valuesOf = (...keywords: readonly string[]): readonly string[][] =>
    lines.filter(([keyword = '']) => keywords.includes(keyword)).map(([, ...values]) => values);
  return {
    servers: valuesOf('nameserver').flatMap(([server = '']) => (isAddress(server) ? [server] : [])),
    search: valuesOf('search', 'domain').at(-1) ?? [],
    options: valuesOf('options').flat(),
  };
}

/** Also with a zone, as in `fe80::1%eth0`. */
function isAddress(text: string): boolean {
  return isIP(text.replace(/%.*$/, '')) !== 0;
}

/** An address that a container could not reach: its loopback is another one, and zones name devices of the host. */
function isOfHostAlone(server: string): boolean {
  return /^127\.|^::1$|%/.test(server);
}

/**
 * True when the host asks systemd's resolver on its loopback alone: then the servers that this one asks are in
 * `/run/systemd/resolve/resolv.conf`.
 */
export function usesLocalResolver(text: string): boolean {
  const { servers } = parseResolverFile(text);
  return servers.length > 0 && servers.every((server) => server.startsWith('127.0.0.53'));
}

/**
 * The `resolv.conf` of a container that is not on the host's network, as Docker makes it: the host's, without servers
 * that only the host reaches; public ones when none is left.
 */
export function resolverFile(host: string, asked: NameServers = {}): string {
  const own = parseResolverFile(host);
  const reachable = own.servers.filter((server) => !isOfHostAlone(server));
  const servers = asked.servers?.length ? asked.servers : reachable.length > 0 ? reachable : publicServers;
  const search = asked.search?.length ? asked.search.filter((domain) => domain !== '.') : own.search;
  const options = asked.options?.length ? asked.options : own.options;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}

const loopbackHosts = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** A name with its address, for a container's `hosts`. */
export interface HostEntry {
  readonly name: string;
  readonly address: string;
}

/** The `hosts` of a container: loopback, what was asked for, and the container itself at each of its addresses. */
export function hostsFile(container: {
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly entries: readonly HostEntry[];
}): string {
  const { hostname, addresses, entries } = container;
  const names = hostname.includes('.') ? `${hostname} ${hostname.slice(0, hostname.indexOf('.'))}` : hostname;
  const lines = [
    ...loopbackHosts,
    ...entries.map(({ name, address }) => `${address}\t${name}`),
    ...addresses.map((address) => `${address}\t${names}`),
  ];
  return `${lines.join('\n')}\n`;
}

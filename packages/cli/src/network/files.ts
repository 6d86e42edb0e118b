import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Mount } from '@ocijs/bundle';
import type { HostEntry, NameServers, NetworkConnection } from '@ocijs/runtime';
import { usageError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import { bindMount } from '../run/mounts.ts';
import type { NetworkChoice } from './choice.ts';

/** The files of `/etc` that a container gets from its host. */
export const etcFiles = ['hostname', 'hosts', 'resolv.conf'] as const;

const hostGateway = 'host-gateway';

/** What a container's `/etc/hosts` is made of; kept in its record, since addresses come with the connection. */
export interface HostNames {
  readonly hostname: string;
  /** The address may be `host-gateway`. */
  readonly entries: readonly HostEntry[];
}

/** Reads `--add-host NAME:ADDRESS` or `NAME=ADDRESS`. Throws ERR_OCI_USAGE. */
export function parseAddHost(text: string): HostEntry {
  const match = /^([^\s:=]+)[:=](.+)$/.exec(text);
  const [, name = '', given = ''] = match ?? [];
  const address = given.replace(/^\[(.*)\]$/, '$1');
  if (match !== null && (address === hostGateway || isIP(address) !== 0)) return { name, address };
  throw usageError(
    `--add-host ${JSON.stringify(text)} is not NAME:ADDRESS`,
    'ADDRESS is an IP address or host-gateway',
  );
}

/** True when the container is to reach the host by a name. */
export function wantsHost({ entries }: HostNames): boolean {
  return entries.some(({ address }) => address === hostGateway);
}

/** Reads `--dns` and its sisters. Throws ERR_OCI_USAGE. */
export function parseNameServers(flags: {
  readonly dns?: readonly string[] | undefined;
  readonly 'dns-search'?: readonly string[] | undefined;
  readonly 'dns-option'?: readonly string[] | undefined;
}): NameServers {
  for (const server of flags.dns ?? []) {
    if (isIP(server) === 0) throw usageError(`--dns ${JSON.stringify(server)} is not an address`);
  }
  for (const word of [...(flags['dns-search'] ?? []), ...(flags['dns-option'] ?? [])]) {
    if (!/^[\w.:-]+$/.test(word)) throw usageError(`${JSON.stringify(word)} cannot stand in resolv.conf`);
  }
  return {
    servers: flags.dns ?? [],
    search: flags['dns-search'] ?? [],
    options: flags['dns-option'] ?? [],
  };
}

/** What {@link writeEtcFiles} works with. */
export interface EtcOptions {
  readonly names: HostNames;
  readonly network: NetworkChoice;
  readonly nameServers: NameServers;
  /** The directory of the container whose network is shared. */
  readonly shared?: string | undefined;
  readonly isReadOnly: boolean;
}

/**
 * Writes the container's `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf` beside its bundle, and returns the mounts that
 * put them in place, as Docker does: on the host's network the last two are the host's, and who shares a container's
 * network shares its files.
 */
export async function writeEtcFiles(directory: string, options: EtcOptions): Promise<readonly Mount[]> {
  const { names, network, nameServers, shared, isReadOnly } = options;
  const mounts = (from: string): Mount[] =>
    etcFiles.map((name) =>
      bindMount({
        source: join(from, name),
        destination: `/etc/${name}`,
        options: isReadOnly ? ['ro'] : [],
      }),
    );
  if (shared !== undefined) return mounts(shared);
  const { resolverFile } = await import('@ocijs/runtime');
  const isOnHost = network.mode === 'host';
  const write = (name: string, text: string) => writeFile(join(directory, name), text, { mode: 0o644 });
  await write('hostname', `${names.hostname}\n`);
  if (isOnHost) await write('hosts', `${await readIfThere('/etc/hosts')}${formatEntries(names)}`);
  else await writeHosts(directory, names, undefined);
  const asked = { ...(await defaultServers(network)), ...given(nameServers) };
  const isUntouched = isOnHost && Object.keys(given(nameServers)).length === 0;
  const host = await hostResolver(network);
  await write('resolv.conf', isUntouched ? host : resolverFile(host, asked));
  return mounts(directory);
}

function given(asked: NameServers): NameServers {
  return Object.fromEntries(Object.entries(asked).filter(([, values]) => values.length > 0));
}

/** slirp4netns has a server of its own, which asks the host's wherever it is. */
async function defaultServers({ mode }: NetworkChoice): Promise<NameServers> {
  if (mode !== 'slirp4netns') return {};
  const { slirpNameserver } = await import('@ocijs/runtime');
  return { servers: [slirpNameserver] };
}

async function hostResolver({ mode }: NetworkChoice): Promise<string> {
  const text = await readIfThere('/etc/resolv.conf');
  const { usesLocalResolver } = await import('@ocijs/runtime');
  if (mode === 'host' || !usesLocalResolver(text)) return text;
  return (await readIfThere('/run/systemd/resolve/resolv.conf')) || text;
}

function formatEntries({ entries }: HostNames): string {
  return entries
    .map(({ name, address }) => `${address === hostGateway ? '127.0.0.1' : address}\t${name}\n`)
    .join('');
}

/**
 * Writes the container's `hosts`, in place, since it is mounted as a file: once before the container is connected, with loopback
 * for its own name, and once after. Throws ERR_OCI_USAGE when the container cannot reach the host it wants to.
 */
export async function writeHosts(
  directory: string,
  names: HostNames,
  connection: NetworkConnection | undefined,
): Promise<void> {
  const { hostsFile } = await import('@ocijs/runtime');
  const entries = names.entries.flatMap(({ name, address }) => {
    if (address !== hostGateway) return [{ name, address }];
    return connection?.host === undefined ? [] : [{ name, address: connection.host }];
  });
  if (connection !== undefined && connection.host === undefined && wantsHost(names))
    throw usageError(`--add-host host-gateway: network ${connection.mode} has no way to the host`);
  const { hostname } = names;
  const addresses = connection?.addresses ?? ['127.0.0.1'];
  await writeFile(join(directory, 'hosts'), hostsFile({ hostname, addresses, entries }), { mode: 0o644 });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

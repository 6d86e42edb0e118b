import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { RuntimeError } from '../../errors.ts';
import { registry } from './lock.ts';

/** The network of the containers of one state directory. */
export interface BridgeNetwork {
  /** The device of the host, and the name of the network to plugins. */
  readonly bridge: string;
  readonly subnet: string;
  readonly gateway: string;
}

/** Where the state directories of most hosts are: it gets the shortest name and the first addresses. */
const usualRoot = '/run/oci';

/** 10.87.0.0/16 in 64 networks of 1,021 containers each. */
const count = 64;
const prefix = 22;

function networkOf(root: string, index: number): BridgeNetwork {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 8);
  return {
    bridge: root === usualRoot ? 'oci0' : `oci-${name}`,
    subnet: `10.87.${index * 4}.0/${prefix}`,
    gateway: `10.87.${index * 4}.1`,
  };
}

/** An IPv4 address as a number. */
export function addressNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** A range of IPv4 addresses. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}

/** The destinations of `/proc/net/route` but for the default route: numbers in hexadecimal, in the byte order of x86. */
export function routedRanges(text: string): readonly AddressRange[] {
  const swapped = (hexadecimal: string): number => Buffer.from(hexadecimal, 'hex').readUInt32LE(0);
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(([device, destination, , , , , , mask]) => device && destination && mask && mask !== '00000000')
    .map(([, destination = '', , , , , , mask = '']) => {
      const first = swapped(destination);
      return { first, last: first + (0xffffffff - swapped(mask)) };
    });
}

function usedRanges(): readonly AddressRange[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => ({ first: addressNumber(address), last: addressNumber(address) })),
  );
  return [...own, ...routedRanges(readFileSync('/proc/net/route', 'utf8'))];
}

function overlaps(subnet: string, ranges: readonly AddressRange[]): boolean {
  const first = addressNumber(subnet.slice(0, subnet.indexOf('/')));
  const last = first + 2 ** (32 - prefix) - 1;
  return ranges.some((range) => range.first <= last && range.last >= first);
}

/** Which state directory reserved which network; those of directories that are gone are given up. */
function reservations(): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync(registry).filter((entry) => /^\d{1,2}$/.test(entry))) {
    const root = readFileSync(`${registry}/${name}`, 'utf8');
    if (statSync(root, { throwIfNoEntry: false }) === undefined)
      rmSync(`${registry}/${name}`, { force: true });
    else found.set(Number(name), root);
  }
  return found;
}

/**
 * The network of a state directory: the one that it has, else the first that nothing on this host is routed to. To be
 * called under the lock. Throws ERR_OCI_NETWORK_FAILED when all are taken.
 */
export function reserveNetwork(root: string): BridgeNetwork {
  const reserved = reservations();
  const own = [...reserved].find(([, owner]) => owner === root)?.[0];
  if (own !== undefined) return networkOf(root, own);
  const used = usedRanges();
  for (let index = 0; index < count; index++) {
    const network = networkOf(root, index);
    if (reserved.has(index) || overlaps(network.subnet, used)) continue;
    writeFileSync(`${registry}/${index}`, root, { flag: 'wx', mode: 0o600 });
    return network;
  }
  throw new RuntimeError('ERR_OCI_NETWORK_FAILED', 'no addresses are free below 10.87.0.0/16', {
    hint: `The reservations are in ${registry}; a container without a network runs with --network none.`,
  });
}

/** Gives the network of a state directory up. To be called under the lock. */
export function releaseNetwork(root: string): void {
  for (const [index, owner] of reservations())
    if (owner === root) rmSync(`${registry}/${index}`, { force: true });
}

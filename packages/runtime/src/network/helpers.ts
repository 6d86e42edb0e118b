import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { findIn, helperPath, pluginPath } from './programs.ts';
import type { NetworkMode } from './types.ts';

/** Whether containers of the caller can be connected in one way. */
export interface NetworkHelper {
  readonly mode: NetworkMode;
  /** The programs that were found for it. */
  readonly found: readonly string[];
  /** Why it cannot be used; absent when it can. */
  readonly reason?: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** The plugins that a bridge takes: the device, the addresses, published ports, and the way through the firewall. */
export const bridgePlugins = ['bridge', 'host-local', 'portmap', 'firewall'] as const;

const capabilities = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n } as const;

function missingCapabilities(): readonly string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return Object.entries(capabilities).flatMap(([name, number]) =>
    ((effective >> number) & 1n) === 1n ? [] : [name],
  );
}

function unusable(mode: NetworkMode, found: readonly string[], reason: string, hint: string): NetworkHelper {
  return { mode, found, reason, hint };
}

function bridgeHelper(): NetworkHelper {
  const mode = 'bridge';
  const plugins = bridgePlugins.map((name) => findIn(pluginPath(), name));
  const iptables = findIn(helperPath(), 'iptables');
  const found = [...plugins, iptables].filter((path) => path !== undefined);
  if (process.geteuid?.() !== 0)
    return unusable(mode, found, 'a bridge needs root', 'An ordinary user has pasta or slirp4netns.');
  const absent = bridgePlugins.filter((_, index) => plugins[index] === undefined);
  if (absent.length > 0) {
    return unusable(
      mode,
      found,
      `CNI plugins are missing: ${absent.join(', ')}`,
      'Install the package containernetworking-plugins, or name their directory in $CNI_PATH.',
    );
  }
  if (iptables === undefined)
    return unusable(mode, found, 'iptables is missing', 'Install the package iptables.');
  const lacking = missingCapabilities();
  if (lacking.length === 0) return { mode, found };
  return unusable(
    mode,
    found,
    `this process has no ${lacking.join(', ')}`,
    'It probably runs in a container; use the network none or host.',
  );
}

const tunDevice = '/dev/net/tun';

function tunProblem(): { readonly reason: string; readonly hint: string } | undefined {
  try {
    accessSync(tunDevice, constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return existsSync(tunDevice)
      ? { reason: `${tunDevice} cannot be opened`, hint: `As root: chmod 0666 ${tunDevice}` }
      : { reason: `there is no ${tunDevice}`, hint: 'As root: modprobe tun' };
  }
}

function userModeHelper(mode: 'pasta' | 'slirp4netns', packageName: string): NetworkHelper {
  const path = findIn(helperPath(), mode);
  const found = path === undefined ? [] : [path];
  if (mode === 'pasta' && process.geteuid?.() === 0)
    return unusable(mode, found, 'pasta is for ordinary users', 'Root has the network bridge.');
  if (path === undefined)
    return unusable(mode, found, `${mode} is not installed`, `Install the package ${packageName}.`);
  const problem = tunProblem();
  return problem === undefined ? { mode, found } : { mode, found, ...problem };
}

/** The ways to connect a container, the best first, with what keeps the caller from each. */
export function networkHelpers(): readonly NetworkHelper[] {
  return [bridgeHelper(), userModeHelper('pasta', 'passt'), userModeHelper('slirp4netns', 'slirp4netns')];
}

/** The best way to connect containers of the caller; `none` where there is none. */
export function defaultNetwork(): NetworkMode | 'none' {
  return networkHelpers().find(({ reason }) => reason === undefined)?.mode ?? 'none';
}

/** Throws ERR_OCI_NETWORK_UNAVAILABLE when the caller's containers cannot be connected in this way. */
export function requireNetwork(mode: NetworkMode): void {
  const helper = networkHelpers().find((candidate) => candidate.mode === mode);
  if (helper !== undefined && helper.reason === undefined) return;
  throw new RuntimeError(
    'ERR_OCI_NETWORK_UNAVAILABLE',
    `network ${mode} cannot be used: ${helper?.reason ?? 'it is unknown'}`,
    { actual: mode, hint: helper?.hint ?? 'Known are bridge, pasta and slirp4netns.' },
  );
}

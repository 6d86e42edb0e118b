import type { NetworkHelper, NetworkMode, PortMapping } from '@ocijs/runtime';
import { CliError, usageError } from '../errors.ts';

/** A network that a container can be given. */
export type NetworkChoice =
  | { readonly mode: NetworkMode | 'none' | 'host' }
  | { readonly mode: 'container'; readonly container: string };

const modes: ReadonlySet<string> = new Set(['none', 'host', 'bridge', 'pasta', 'slirp4netns']);

/** Reads `--network`; undefined for the default. Throws ERR_OCI_USAGE. */
export function parseNetwork(text: string): NetworkChoice | undefined {
  if (text === 'default') return undefined;
  if (modes.has(text)) return { mode: text as NetworkMode | 'none' | 'host' };
  if (text === 'loopback' || text === 'private') return { mode: 'none' };
  const container = /^container:(.+)$/.exec(text)?.[1];
  if (container !== undefined) return { mode: 'container', container };
  throw usageError(
    `--network ${JSON.stringify(text)} is unknown`,
    'none, host, bridge, pasta, slirp4netns or container:NAME; there are no named networks',
  );
}

/** True for a network that helpers connect the container to. */
export function isConnected(choice: NetworkChoice): choice is { readonly mode: NetworkMode } {
  return choice.mode === 'bridge' || choice.mode === 'pasta' || choice.mode === 'slirp4netns';
}

/** What the host offers when nobody chose: its best network, and why there is none. */
export function defaultChoice(helpers: readonly NetworkHelper[]): NetworkChoice {
  return { mode: helpers.find(({ reason }) => reason === undefined)?.mode ?? 'none' };
}

/** Publishing ports takes a network that is connected. Throws ERR_OCI_USAGE and ERR_OCI_NETWORK_UNAVAILABLE. */
export function requirePublishing(
  choice: NetworkChoice,
  {
    ports,
    isDefault,
    helpers,
  }: {
    readonly ports: readonly PortMapping[];
    readonly isDefault: boolean;
    readonly helpers: readonly NetworkHelper[];
  },
): void {
  if (ports.length === 0 || isConnected(choice)) return;
  if (!isDefault) {
    throw usageError(
      `ports cannot be published with --network ${choice.mode}`,
      choice.mode === 'host'
        ? 'the ports of the container are those of the host'
        : 'use bridge, pasta or slirp4netns',
    );
  }
  const nearest = helpers.find(({ mode }) => (mode === 'bridge') === (process.geteuid?.() === 0));
  throw new CliError(
    'ERR_OCI_HOST_UNSUITABLE',
    `ports cannot be published: ${helpers.map(({ mode, reason }) => `${mode}: ${reason}`).join('; ')}`,
    { hint: nearest?.hint ?? 'see `oci doctor`' },
  );
}

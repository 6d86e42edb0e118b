import type { ImageConfig } from '@ocijs/image';
import type { NetworkConnection, NetworkRequest, PortMapping } from '@ocijs/runtime';
import type { KnownContainer } from '../containers/collection.ts';
import { environment } from '../env.ts';
import {
  defaultChoice,
  isConnected,
  type NetworkChoice,
  parseNetwork,
  requirePublishing,
} from '../network/choice.ts';
import { newsOfDefault } from '../network/default.ts';
import { wantsHost, writeHosts } from '../network/files.ts';
import { parseExposed, parsePublish } from '../network/publish.ts';
import type { RunFlagValues } from './flags.ts';

type NetworkFlags = Pick<RunFlagValues, 'network' | 'publish' | 'publish-all' | 'expose'>;

/** A network, before anything is pulled. */
export interface ChosenNetwork {
  readonly choice: NetworkChoice;
  /** What a person should know about it. */
  readonly news?: string;
}

/**
 * The network that the flags or the environment ask for, else the best of this host. Throws ERR_OCI_USAGE and
 * ERR_OCI_NETWORK_UNAVAILABLE.
 */
export async function chooseNetwork(
  flags: NetworkFlags,
  { storeDirectory }: { readonly storeDirectory: string },
): Promise<ChosenNetwork> {
  const asked = parseNetwork(flags.network ?? (environment['OCI_NETWORK'] || 'default'));
  const ports = (flags.publish ?? []).flatMap(parsePublish);
  if (asked !== undefined && !isConnected(asked)) {
    const isDiscarded = asked.mode === 'host' && (ports.length > 0 || flags['publish-all']);
    if (isDiscarded)
      return {
        choice: asked,
        news: 'warning: on the host’s network all ports are the host’s; --publish does nothing',
      };
    requirePublishing(asked, { ports, isDefault: false, helpers: [] });
    return { choice: asked };
  }
  const { networkHelpers, requireNetwork } = await import('@ocijs/runtime');
  if (asked !== undefined) {
    if (isConnected(asked)) requireNetwork(asked.mode);
    return { choice: asked };
  }
  const helpers = networkHelpers();
  const choice = defaultChoice(helpers);
  requirePublishing(choice, { ports, isDefault: true, helpers });
  const news = await newsOfDefault(storeDirectory, choice, helpers);
  return { choice, ...(news === undefined ? {} : { news }) };
}

/** The ports to publish: those that were named, and with `--publish-all` what the image exposes besides. */
export function publishedPorts(
  { choice }: ChosenNetwork,
  flags: NetworkFlags,
  image: ImageConfig,
): readonly PortMapping[] {
  if (!isConnected(choice)) return [];
  const named = (flags.publish ?? []).flatMap(parsePublish);
  if (!flags['publish-all']) return named;
  const isNamed = (port: PortMapping): boolean =>
    named.some(
      ({ containerPort, protocol }) => containerPort === port.containerPort && protocol === port.protocol,
    );
  const exposed = [...Object.keys(image.config?.ExposedPorts ?? {}), ...(flags.expose ?? [])].flatMap(
    parseExposed,
  );
  const unique = new Map(exposed.map((port) => [`${port.containerPort}/${port.protocol}`, port]));
  return [...named, ...[...unique.values()].filter((port) => !isNamed(port))];
}

/** How to connect a container as its record says; undefined for one that is not connected. */
export function networkRequest({ record, directory }: KnownContainer): NetworkRequest | undefined {
  const { network, names } = record;
  if (network === undefined || !isConnected(network.choice)) return undefined;
  const onConnected = async (connection: NetworkConnection): Promise<void> => {
    if (names !== undefined) await writeHosts(directory, names, connection);
  };
  return {
    mode: network.choice.mode,
    ports: network.ports,
    hostLoopback: names !== undefined && wantsHost(names),
    onConnected,
  };
}

import { networkInterfaces } from 'node:os';
import { RuntimeError } from '../../errors.ts';
import type { ProcessIdentity } from '../../process/stat.ts';
import { findIn, helperPath } from '../programs.ts';
import { runProgram } from '../run-program.ts';
import type { NetworkConnection, PortMapping, PortProtocol } from '../types.ts';
import type { Connecting } from './connecting.ts';
import { pastaOf, pidFile } from './helper.ts';

/** `127.0.0.1/8080:80,53:53`, or `none`: what of a protocol comes in. */
export function portArgument(ports: readonly PortMapping[], protocol: PortProtocol): string {
  const mappings = ports
    .filter((port) => port.protocol === protocol)
    .map(
      ({ hostIp, hostPort, containerPort }) => `${hostIp ? `${hostIp}/` : ''}${hostPort}:${containerPort}`,
    );
  return mappings.join(',') || 'none';
}

/** One option for each mapping: older versions take one address for an option. */
function portArguments(ports: readonly PortMapping[]): readonly string[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) => {
    const option = protocol === 'tcp' ? '-t' : '-u';
    const own = ports.filter((port) => port.protocol === protocol);
    if (own.length === 0) return [option, 'none'];
    return own.flatMap((port) => [option, portArgument([port], protocol)]);
  });
}

/** The default gateways of `/proc/net/route`, with their devices. */
export function defaultRoute(
  text: string,
): { readonly device: string; readonly gateway: string } | undefined {
  for (const line of text.split('\n').slice(1)) {
    const [device, destination, gateway, , , , , mask] = line.split(/\s+/);
    if (device && destination === '00000000' && mask === '00000000' && gateway) {
      return { device, gateway: [...Buffer.from(gateway, 'hex')].toReversed().join('.') };
    }
  }
  return undefined;
}

/**
 * Connects a container through pasta, which shows it the host's own addresses and routes. Resolves when the device is
 * configured and ports are open.
 */
export async function connectPasta(
  connecting: Connecting,
): Promise<{ readonly connection: NetworkConnection; readonly helper: ProcessIdentity | undefined }> {
  const { root, id, pid, ports, hostLoopback, routes, signal } = connecting;
  const sctp = ports.find(({ protocol }) => protocol === 'sctp');
  if (sctp !== undefined) {
    throw new RuntimeError('ERR_OCI_NETWORK_INVALID', 'pasta does not publish SCTP ports', {
      actual: sctp.hostPort,
      hint: 'Only a bridge does.',
    });
  }
  const route = defaultRoute(routes);
  const { code, stderr } = await runProgram(findIn(helperPath(), 'pasta') ?? 'pasta', {
    args: [
      '--config-net',
      '--quiet',
      '--pid',
      pidFile(root, id),
      ...(hostLoopback ? [] : ['--no-map-gw']),
      ...portArguments(ports),
      ...['-T', 'none', '-U', 'none'],
      String(pid),
    ],
    staysInBackground: true,
    signal,
  });
  if (code !== 0) throw failure(stderr || `exit status ${code}`);
  const device = route?.device ?? 'eth0';
  return {
    connection: {
      mode: 'pasta',
      device,
      addresses: (networkInterfaces()[device] ?? [])
        .filter(({ family, scopeid }) => family === 'IPv4' || !scopeid)
        .map(({ address }) => address),
      ...(hostLoopback && route && { host: route.gateway }),
      ports,
    },
    helper: pastaOf(root, id),
  };
}

/** Without the remarks that pasta makes about the system's log. */
function failure(stderr: string): RuntimeError {
  const text = stderr
    .split('\n')
    .filter((line) => !/^Failed to send \d+ bytes to syslog/.test(line))
    .join('; ');
  return new RuntimeError('ERR_OCI_NETWORK_FAILED', `pasta failed: ${text}`, {
    hint: 'See `oci doctor`; --network slirp4netns and --network none do without it.',
  });
}

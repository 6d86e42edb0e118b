import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { RuntimeError } from '../errors.ts';
import { publishedPortLimit } from '../limits.ts';
import { formatPort } from './format-port.ts';
import type { PortMapping, PortProtocol } from './types.ts';

/** What of a mapping decides about its port on the host. */
type HostSide = Pick<PortMapping, 'hostIp' | 'hostPort' | 'protocol'>;

/** Takes a port of the host for a moment and returns its number, which the kernel chose when 0 was asked for. */
async function probe({ hostIp, hostPort, protocol }: HostSide): Promise<number> {
  if (protocol === 'udp') {
    const socket = createSocket(hostIp?.includes(':') ? 'udp6' : 'udp4');
    try {
      socket.bind({ port: hostPort, exclusive: true, ...(hostIp && { address: hostIp }) });
      await once(socket, 'listening');
      return socket.address().port;
    } finally {
      socket.close();
    }
  }
  const server = createServer();
  server.listen({ port: hostPort, host: hostIp ?? '0.0.0.0', exclusive: true });
  try {
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : hostPort;
  } finally {
    server.close();
  }
}

const reasons: Readonly<Record<string, { readonly text: string; readonly hint: string }>> = {
  EADDRINUSE: { text: 'is in use', hint: 'End what listens there, or publish another port.' },
  EACCES: {
    text: 'may not be used by an ordinary user',
    hint: 'Choose one from 1024 on, or lower net.ipv4.ip_unprivileged_port_start.',
  },
  EADDRNOTAVAIL: {
    text: 'belongs to an address that this host does not have',
    hint: 'Leave the address out, or name one of this host.',
  },
};

async function requireFree(port: HostSide): Promise<number> {
  // Node has no sockets for SCTP: whether the port is free is the helper's to find out.
  if (port.protocol === 'sctp') return port.hostPort;
  try {
    return await probe(port);
  } catch (cause) {
    const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) throw cause;
    const text = formatPort({ ...port, containerPort: 0 });
    throw new RuntimeError('ERR_OCI_PORT_TAKEN', `port ${text} ${reason.text}`, {
      actual: port.hostPort,
      hint: reason.hint,
      cause,
    });
  }
}

/**
 * Checks that the ports of the host are free, and chooses one where a mapping has 0. Another process may take one right
 * after. Throws ERR_OCI_PORT_TAKEN and ERR_OCI_NETWORK_INVALID.
 */
export async function claimPorts(ports: readonly PortMapping[]): Promise<readonly PortMapping[]> {
  if (ports.length > publishedPortLimit)
    throw new RuntimeError('ERR_OCI_NETWORK_INVALID', `more than ${publishedPortLimit} ports are published`);
  const claimed: PortMapping[] = [];
  for (const port of ports) {
    requireValid(port);
    claimed.push({ ...port, hostPort: await requireFree(port) });
  }
  return claimed;
}

const protocols: readonly PortProtocol[] = ['tcp', 'udp', 'sctp'];

function requireValid(port: PortMapping): void {
  const isPort = (number: number, least: number): boolean =>
    Number.isInteger(number) && number >= least && number <= 65_535;
  const isChosen = port.hostPort > 0 || port.protocol !== 'sctp';
  if (
    isPort(port.hostPort, 0) &&
    isPort(port.containerPort, 1) &&
    protocols.includes(port.protocol) &&
    isChosen
  )
    return;
  throw new RuntimeError('ERR_OCI_NETWORK_INVALID', `${JSON.stringify(port)} is no port mapping`, {
    hint: 'Ports are numbers from 1 to 65535, protocols tcp, udp and sctp.',
  });
}

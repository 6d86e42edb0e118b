import { RuntimeError } from '../../errors.ts';
import { listContainers } from '../../state/store.ts';
import { formatPort } from '../format-port.ts';
import { readNetworkRecord } from '../record.ts';
import type { PortMapping } from '../types.ts';

function collide(left: PortMapping, right: PortMapping): boolean {
  const isAny = (address: string | undefined): boolean => address === undefined || address === '0.0.0.0';
  return (
    left.protocol === right.protocol &&
    left.hostPort === right.hostPort &&
    (isAny(left.hostIp) || isAny(right.hostIp) || left.hostIp === right.hostIp)
  );
}

/**
 * A port that the firewall redirects looks free to who asks the kernel: other containers on a bridge are asked, too. Throws
 * ERR_OCI_PORT_TAKEN.
 */
export function requireUnpublished(root: string, id: string, ports: readonly PortMapping[]): void {
  if (ports.length === 0) return;
  for (const other of listContainers(root).filter((name) => name !== id)) {
    const record = readNetworkRecord(root, other);
    if (record?.bridge === undefined) continue;
    const taken = ports.find((port) => record.connection.ports.some((published) => collide(port, published)));
    if (taken === undefined) continue;
    throw new RuntimeError(
      'ERR_OCI_PORT_TAKEN',
      `port ${formatPort(taken)} is published by container ${other.slice(0, 12)}`,
      { actual: taken.hostPort, hint: 'End that container, or publish another port.' },
    );
  }
}

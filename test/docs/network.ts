import { missing } from '../kit/requirements.ts';

/** Commands in a network of their own, so that nothing is left of what they make on its host. */
export function inNetwork(lines: string): string {
  return `unshare --net --mount sh -ec 'ip link set lo up; ${lines}'`;
}

/** Why containers cannot be connected here, or false. */
export function networksMissing(): string | false {
  return missing({ root: true, commands: ['ip', 'iptables', 'unshare'], files: ['/usr/lib/cni/bridge'] });
}

import type { PluginConfig } from '../record.ts';
import type { PortMapping } from '../types.ts';
import { cniVersion } from './plugin.ts';
import type { BridgeNetwork } from './subnet.ts';

/** Where addresses of a state directory's containers are noted; not a name that a container's directory can have. */
export function addressDirectory(root: string): string {
  return `${root}/@addresses`;
}

/** The plugins of a bridged container, in the order of ADD; DEL goes back. */
export function bridgeConfig(
  root: string,
  network: BridgeNetwork,
  ports: readonly PortMapping[],
): readonly PluginConfig[] {
  const common = { cniVersion, name: network.bridge };
  const mappings = ports.map(({ hostIp, ...port }) => ({ ...port, ...(hostIp && { hostIP: hostIp }) }));
  return [
    {
      ...common,
      type: 'bridge',
      bridge: network.bridge,
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: addressDirectory(root),
        ranges: [[{ subnet: network.subnet, gateway: network.gateway }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    ...(mappings.length === 0
      ? []
      : [
          {
            ...common,
            type: 'portmap',
            capabilities: { portMappings: true },
            runtimeConfig: { portMappings: mappings },
            snat: true,
          },
        ]),
    { ...common, type: 'firewall', ingressPolicy: 'open' },
  ];
}

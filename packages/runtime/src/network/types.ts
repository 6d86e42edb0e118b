/** How a container reaches a network; without any of these it has its loopback alone, or shares the host's network. */
export type NetworkMode = 'bridge' | 'pasta' | 'slirp4netns';

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A port of the host that leads to one of the container. */
export interface PortMapping {
  /** An address of the host; all addresses when it is absent. */
  readonly hostIp?: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** What to connect a container to. */
export interface NetworkRequest {
  readonly mode: NetworkMode;
  readonly ports?: readonly PortMapping[];
  /**
   * Let the container reach what listens on the host's loopback alone, at the address that the connection names as
   * `host`. For pasta and slirp4netns; a container on a bridge reaches the host by its gateway anyway.
   */
  readonly hostLoopback?: boolean;
  /** Called when the container is connected and its process has not started yet. */
  readonly onConnected?: (connection: NetworkConnection) => void | Promise<void>;
}

/** How a container is connected. */
export interface NetworkConnection {
  readonly mode: NetworkMode;
  /** The container's network device. */
  readonly device: string;
  /** The container's own addresses, without prefix lengths. */
  readonly addresses: readonly string[];
  /** The address at which the container reaches the host, when it does. */
  readonly host?: string;
  readonly ports: readonly PortMapping[];
}

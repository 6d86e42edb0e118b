import type { PortMapping } from '../types.ts';

/** A container to connect, by its first process, which waits meanwhile. */
export interface Connecting {
  readonly root: string;
  readonly id: string;
  readonly pid: number;
  readonly ports: readonly PortMapping[];
  readonly hostLoopback: boolean;
  /** The text of the host's `/proc/net/route`. */
  readonly routes: string;
  readonly signal?: AbortSignal | undefined;
}

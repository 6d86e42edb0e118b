import type { Namespace, RuntimeSpec } from '@ocijs/bundle';
import type { KnownContainer } from '../containers/collection.ts';
import { requireRunning } from '../containers/running.ts';
import { CliError, usageError } from '../errors.ts';
import type { RunFlagValues } from './flags.ts';

/** The types of namespaces that flags can place. */
export type PlacedType = 'network' | 'pid' | 'ipc' | 'uts' | 'cgroup';

/** Where a namespace comes from: the host's own, or that of another container, by its path. */
export type Placement = 'host' | { readonly path: string };

/** The namespaces that are not the container's own. */
export type Placements = Readonly<Partial<Record<PlacedType, Placement>>>;

/** A namespace as it was asked for. */
export type Asked = 'private' | 'host' | { readonly container: string };

/** Reads the values of `--pid` and `--ipc`. Throws ERR_OCI_USAGE. */
export function parsePlacement(flag: string, text = 'private'): Asked {
  if (text === 'private' || text === 'host') return text;
  // For containers on one host these are Docker's other words for the same.
  if (flag === 'ipc' && text === 'shareable') return 'private';
  const container = /^container:(.+)$/.exec(text)?.[1];
  if (container !== undefined) return { container };
  throw usageError(`--${flag} ${JSON.stringify(text)} is unknown`, 'private, host or container:NAME');
}

/** Looks up where namespaces come from. Throws ERR_OCI_USAGE, ERR_OCI_CONTAINER_NOT_FOUND, ERR_OCI_CONTAINER_NOT_RUNNING. */
export async function findPlacements(
  flags: Pick<RunFlagValues, 'pid' | 'ipc' | 'uts' | 'cgroupns'>,
  options: {
    readonly network: Asked;
    readonly find: (name: string) => Promise<KnownContainer>;
  },
): Promise<Placements> {
  const asked: Readonly<Record<PlacedType, Asked>> = {
    network: options.network,
    pid: parsePlacement('pid', flags.pid),
    ipc: parsePlacement('ipc', flags.ipc),
    uts: flags.uts === 'host' ? 'host' : 'private',
    cgroup: flags.cgroupns === 'host' ? 'host' : 'private',
  };
  const placements: Partial<Record<PlacedType, Placement>> = {};
  for (const [type, where] of Object.entries(asked) as [PlacedType, Asked][]) {
    if (where === 'private') continue;
    placements[type] = where === 'host' ? 'host' : await pathOf(type, await options.find(where.container));
  }
  return placements;
}

const files: Readonly<Record<PlacedType, string>> = {
  network: 'net',
  pid: 'pid',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
};

async function pathOf(type: PlacedType, container: KnownContainer): Promise<Placement> {
  if (process.geteuid?.() !== 0) {
    throw new CliError(
      'ERR_OCI_HOST_UNSUITABLE',
      `an ordinary user cannot share the ${type} of a container`,
      {
        hint: 'its user namespace would have to be shared, too; run both as root',
      },
    );
  }
  const { pid } = await requireRunning(container);
  return { path: `/proc/${pid}/ns/${files[type]}` };
}

/** The namespaces of a configuration with those of others in their place. */
export function placeNamespaces(
  namespaces: readonly Namespace[],
  placements: Placements,
): NonNullable<RuntimeSpec['linux']>['namespaces'] {
  return namespaces.flatMap((namespace) => {
    const placement = (placements as Readonly<Record<string, Placement | undefined>>)[namespace.type];
    if (placement === undefined) return [namespace];
    return placement === 'host' ? [] : [{ ...namespace, path: placement.path }];
  });
}

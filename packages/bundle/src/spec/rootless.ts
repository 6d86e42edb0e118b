import type { IdMapping, Mount, Namespace, RuntimeSpec, User } from './types.ts';

/** How a container of an ordinary user is set up. */
export interface RootlessOptions {
  /** Which host users the container's users are; usually the caller alone, as the container's root. */
  readonly uidMappings: readonly IdMapping[];
  /** Which host groups the container's groups are. */
  readonly gidMappings: readonly IdMapping[];
  /** `private` gives the container an own, empty network; `host` (the default) shares the host's. */
  readonly network?: 'private' | 'host';
}

/** Mappings of one user and group of the host to the container's root: needs no `/etc/subuid`. */
export function singleIdMappings(ids: { readonly uid: number; readonly gid: number }): RootlessOptions {
  return {
    uidMappings: [{ containerID: 0, hostID: ids.uid, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: ids.gid, size: 1 }],
  };
}

/** `true` stands for the calling user alone, sharing the host's network. */
export function rootlessOptions(value: boolean | RootlessOptions | undefined): RootlessOptions | undefined {
  if (value === true)
    return singleIdMappings({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });
  return value === false ? undefined : value;
}

function isMapped(id: number, mappings: readonly IdMapping[]): boolean {
  return mappings.some((map) => id >= map.containerID && id < map.containerID + map.size);
}

/** Gives up the options of a mount that an ordinary user may not ask for. */
function rootlessMount(mount: Mount, options: RootlessOptions): Mount {
  if (mount.type === 'devpts') {
    const allowed = (mount.options ?? []).filter((option) => {
      const gid = /^gid=(\d+)$/.exec(option)?.[1];
      return gid === undefined || isMapped(Number(gid), options.gidMappings);
    });
    return { ...mount, options: allowed };
  }
  if (mount.type === 'sysfs' && options.network !== 'private') {
    // The kernel mounts sysfs only for the owner of the network namespace that it shows.
    return {
      destination: mount.destination,
      type: 'none',
      source: '/sys',
      options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
    };
  }
  return mount;
}

function rootlessUser(user: User, options: RootlessOptions): User {
  const { additionalGids, ...rest } = user;
  const mapped = (additionalGids ?? []).filter((gid) => isMapped(gid, options.gidMappings));
  return mapped.length === 0 ? rest : { ...rest, additionalGids: mapped };
}

/**
 * The same configuration for root of a user namespace, as which this process runs, for containers that stay in it: what takes
 * more than the ids of the namespace is replaced or left out.
 */
export function nestedSpec(spec: RuntimeSpec, options: RootlessOptions): RuntimeSpec {
  return {
    ...spec,
    ...(spec.process && {
      process: { ...spec.process, user: rootlessUser(spec.process.user, options) },
    }),
    ...(spec.mounts && { mounts: spec.mounts.map((mount) => rootlessMount(mount, options)) }),
  };
}

/** The same configuration for an ordinary user: what needs privileges on the host is replaced or left out. */
export function rootlessSpec(spec: RuntimeSpec, options: RootlessOptions): RuntimeSpec {
  const { resources: _, ...linux } = spec.linux ?? {};
  const namespaces: Namespace[] = (linux.namespaces ?? []).filter(
    ({ type }) => type !== 'user' && (type !== 'network' || options.network === 'private'),
  );
  return {
    ...spec,
    ...(spec.process && {
      process: { ...spec.process, user: rootlessUser(spec.process.user, options) },
    }),
    ...(spec.mounts && { mounts: spec.mounts.map((mount) => rootlessMount(mount, options)) }),
    linux: {
      ...linux,
      uidMappings: options.uidMappings.map((map) => ({ ...map })),
      gidMappings: options.gidMappings.map((map) => ({ ...map })),
      namespaces: [...namespaces, { type: 'user' }],
    },
  };
}

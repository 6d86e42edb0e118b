import { mkdir } from 'node:fs/promises';
import type { OwnOverlay, RuntimeSpec, SnapshotKind } from '@ocijs/bundle';
import type { ImageSource, OnEvent } from '@ocijs/image';
import type { ImageName } from '../image-name.ts';
import { holdOverlay, type OverlayHolder } from '../user-namespace/holder.ts';
import { runOci } from '../user-namespace/run-oci.ts';
import { tryOverlay } from '../user-namespace/try-overlay.ts';
import type { RootlessPlan } from './rootless.ts';

/** What {@link mountOwnOverlay} works with. */
export interface OwnOverlayRequest {
  /** The directory of the bundle, which is made. */
  readonly directory: string;
  readonly storeDirectory: string;
  readonly snapshots: string;
  /** Where the image is. */
  readonly name: ImageName;
  /** The same as it was typed. */
  readonly typed: string;
  readonly plan: RootlessPlan;
  readonly temporary: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/**
 * Mounts the layers of an image for a container of an ordinary user, in a user namespace that the container is to join. Layers
 * that no container had are unpacked in such a namespace, where files can be given to the user's subordinate ids. Undefined
 * where overlayfs cannot be mounted so; nothing is left then.
 */
export async function mountOwnOverlay(
  image: ImageSource,
  request: OwnOverlayRequest,
): Promise<OverlayHolder | undefined> {
  const { directory, snapshots, plan, temporary, name, signal } = request;
  // Standard input cannot be read again.
  if ('file' in name && name.file === '-') return undefined;
  const { discardRootfs, prepareOwnOverlay } = await import('@ocijs/bundle');
  const kind: SnapshotKind = plan.hasRanges ? 'namespace' : 'single';
  const prepare = (): Promise<OwnOverlay | undefined> =>
    prepareOwnOverlay(image, directory, { snapshots, kind, signal });
  let overlay = await prepare();
  if (overlay === undefined) {
    if (!(await canMount(snapshots, plan))) return undefined;
    await makeSnapshots(image, request);
    overlay = await prepare();
  }
  const holder = overlay && (await holdOverlay(overlay, { plan, temporary }));
  if (holder === undefined) await discardRootfs(directory);
  return holder;
}

async function canMount(snapshots: string, plan: RootlessPlan): Promise<boolean> {
  const { lockDirectory } = await import('@ocijs/bundle');
  await mkdir(snapshots, { recursive: true, mode: 0o700 });
  using _ = await lockDirectory(snapshots, { exclusive: false });
  return (await tryOverlay(snapshots, plan)) !== undefined;
}

async function makeSnapshots(
  { descriptor, platform }: ImageSource,
  { storeDirectory, name, typed, plan, signal, onEvent }: OwnOverlayRequest,
): Promise<void> {
  const { formatPlatform } = await import('@ocijs/image');
  const isStored = name.transport === 'name' || name.transport === 'docker';
  const args = [
    ...['snapshots', 'make', ...(isStored ? [] : [typed])],
    ...[
      '--digest',
      descriptor.digest,
      '--media-type',
      descriptor.mediaType,
      '--size',
      String(descriptor.size),
    ],
    ...['--platform', formatPlatform(platform)],
  ];
  await runOci(args, { plan, env: { OCI_STORE: storeDirectory }, signal, onEvent });
}

/** The configuration of a container that joins the user namespace in which its root file system is mounted. */
export function joinHolder(spec: RuntimeSpec, { namespaces }: OverlayHolder): RuntimeSpec {
  const { uidMappings: _uids, gidMappings: _gids, ...linux } = spec.linux ?? {};
  const others = (linux.namespaces ?? []).filter(({ type }) => type !== 'user' && type !== 'mount');
  const hasOwn = (type: string): boolean => others.some((namespace) => namespace.type === type);
  return {
    ...spec,
    // The kernel mounts procfs only for the owner of the process ids that it shows.
    mounts: (spec.mounts ?? []).map((mount) =>
      mount.type === 'proc' && !hasOwn('pid')
        ? { ...mount, type: 'bind', source: '/proc', options: ['rbind', 'rslave', ...(mount.options ?? [])] }
        : mount,
    ),
    linux: {
      ...linux,
      namespaces: [
        ...others,
        { type: 'user', path: namespaces.user },
        { type: 'mount', path: namespaces.mount },
      ],
    },
  };
}

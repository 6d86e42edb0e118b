import { dirname, join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '@ocijs/image';

/** Where a snapshot is, and where it is while it is made. */
export interface SnapshotPaths {
  readonly directory: string;
  /** The layer in overlay form. */
  readonly rootfs: string;
  /** Becomes `directory` in one step. */
  readonly staging: string;
}

/** The directory of the layer in a snapshot. */
export const rootfsName = 'fs';

/** The record of the entries of a snapshot's layer, which those that were made of upper directories have not. */
export function layerRecord({ rootfs }: { readonly rootfs: string }): string {
  return join(dirname(rootfs), recordName);
}

/** The file with this record, beside the layer. */
export const recordName = 'layer';

/**
 * Who made snapshots: root, an ordinary user, root of a user namespace, or of one that has no other user. The same layer
 * differs between them in owners, devices and marks.
 */
export type SnapshotKind = 'root' | 'user' | 'namespace' | 'single';

const suffixes: Readonly<Record<SnapshotKind, string>> = {
  root: '',
  user: '.user',
  namespace: '.namespace',
  single: '.single',
};

/** The places of one snapshot below the directory of all. */
export function snapshotPaths(base: string, chainId: Digest, kind: SnapshotKind): SnapshotPaths {
  const parent = join(base, digestAlgorithm(chainId));
  const name = digestHex(chainId) + suffixes[kind];
  const directory = join(parent, name);
  return { directory, rootfs: join(directory, rootfsName), staging: join(parent, `.${name}.new`) };
}

/** What directories are called in which something is only tried, beside the snapshots. */
export const trialPrefix = '.trial-';

/** True for the directory in which a snapshot of a kind is made. */
export function isStagingOf(algorithm: string, name: string, kind: SnapshotKind): boolean {
  const inner = /^\.(.*)\.new$/.exec(name)?.[1];
  return inner !== undefined && chainIdOf(algorithm, inner, kind) !== undefined;
}

/** The chain id that a directory is for; undefined when it is no snapshot, or one of another kind. */
export function chainIdOf(algorithm: string, name: string, kind: SnapshotKind): Digest | undefined {
  const suffix = suffixes[kind];
  if (!name.endsWith(suffix)) return undefined;
  const digest = `${algorithm}:${name.slice(0, name.length - suffix.length)}`;
  return isDigest(digest) ? digest : undefined;
}

export type * from './bundle.ts';
export * from './errors.ts';
export { mapId, parseIdMapping } from './id-map.ts';
export type { LayerLimits } from './limits.ts';
export * from './load-bundle.ts';
export { type DirectoryEntriesOptions, directoryEntries } from './repack/directory-layer.ts';
export { type OverlayEntriesOptions, overlayEntries } from './repack/overlay-upper.ts';
export { type UnnotedOwner, unnotedOwners } from './repack/record/unnoted-owners.ts';
export { type RepackDestination, type RepackOptions, type RepackReport, repack } from './repack/repack.ts';
export { createLayerApplier, type LayerApplier, type LayerApplierOptions } from './rootfs/layer.ts';
export type { ApplyOptions, ApplyWarning } from './rootfs/layer-context.ts';
export { type LinuxOperationsOptions, linuxOperations } from './rootfs/linux-operations.ts';
export type * from './rootfs/operations.ts';
export { type RecordedOwner, readRecordedOwner } from './rootfs/recorded-owner.ts';
export {
  type LayeredTree,
  openLayeredTree,
  type ResolvedPath,
  type TreeFile,
} from './snapshots/layered-tree.ts';
export {
  type DirectoryLock,
  type DirectoryLockOptions,
  lockDirectory,
  tryLockDirectory,
} from './snapshots/lock.ts';
export { mountOverlay, type OverlayMount, unmountAll } from './snapshots/mount-overlay.ts';
export { discardRootfs } from './snapshots/overlay-places.ts';
export {
  makeOwnOverlay,
  type OwnOverlay,
  type OwnOverlayOptions,
  prepareOwnOverlay,
} from './snapshots/own-overlay.ts';
export { type SnapshotKind, trialPrefix } from './snapshots/paths.ts';
export {
  type PreparedRootfs,
  type PrepareRootfsOptions,
  prepareRootfs,
  releaseRootfs,
} from './snapshots/prepare-rootfs.ts';
export { readOwnOverlay } from './snapshots/read-own-overlay.ts';
export { type RootfsKind, type RootfsRecord, readRootfsRecord } from './snapshots/rootfs-record.ts';
export { type SettleUpperOptions, settleUpper } from './snapshots/settle-upper.ts';
export {
  type AdoptOptions,
  type EnsureOptions,
  hasSnapshots,
  type OpenSnapshotsOptions,
  openSnapshots,
  type RemoveUnusedOptions,
  type Snapshot,
  type Snapshots,
} from './snapshots/snapshots.ts';
export * from './spec/index.ts';
export { type BundleState, readState } from './state.ts';
export { removeDirectoryTree } from './unpack/remove-directory.ts';
export { type UnpackOptions, unpack } from './unpack/unpack.ts';
export { hasOneUser, type NamespaceIds, namespaceIds } from './user-namespace.ts';

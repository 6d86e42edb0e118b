import {
  comparePaths,
  compareTrees,
  createRoot,
  type PlannedEntry,
  planLayer,
  type TarWriteEntry,
} from '@ocijs/image';
import * as linux from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { hasErrno } from '../rootfs/failure.ts';
import { isOpaque, isWhiteout, procPath } from '../rootfs/overlay/marks.ts';
import type { DiskPlace } from './disk-entry.ts';
import { readDiskTree } from './disk-tree.ts';
import { createFileReader } from './file-body.ts';
import { diskEntries } from './repack.ts';

/** Options of {@link overlayEntries}. */
export interface OverlayEntriesOptions {
  /** No time is later than this, in nanoseconds since 1970 (`SOURCE_DATE_EPOCH`). */
  readonly clampNs?: bigint | undefined;
  /** Whom files belong to is noted at them, as snapshots without other users have it. */
  readonly notedOwners?: boolean | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The entries of a layer that does what an upper directory of overlayfs does: its whiteouts (devices 0:0, or empty files
 * marked as such) and opaque directories, in the `trusted.` and the `user.` form, become those of layers.
 *
 * Throws ERR_OCI_REPACK_FAILED for what only overlayfs can follow to the lower directories: redirected directories,
 * and files whose content was not copied up.
 */
export function* overlayEntries(
  upper: string,
  { clampNs, notedOwners = false, onWarning, signal }: OverlayEntriesOptions = {},
): Generator<TarWriteEntry, void, undefined> {
  const hidden: string[] = [];
  const opaque: string[] = [];
  const before = createRoot();
  const { root } = readDiskTree(upper, {
    before,
    unpacked: { rootless: notedOwners, uidMap: [], gidMap: [] },
    stampNs: undefined,
    isMasked: () => false,
    isLeftOut: (place, path) => {
      refuseReferences(place, path);
      if (isHidden(place)) {
        hidden.push(path);
        return true;
      }
      if (place.type === 'directory' && isOpaqueDirectory(place)) opaque.push(path);
      return false;
    },
    onSkipped: (path) => onWarning?.(`${path} is a socket, which no layer can hold`),
    signal,
  });
  const changes = compareTrees(before, root, { isSame: (old) => old === before });
  const planned = planLayer(
    [...changes, ...hidden.map((path) => ({ kind: 'removed' as const, path, before: createRoot() }))].sort(
      (a, b) => comparePaths(a.path, b.path),
    ),
    { clampNs },
  );
  using files = createFileReader(upper, { unlock: false });
  yield* diskEntries(withMarkers(planned, new Set(opaque)), { files, signal });
}

/** Puts the marker of an opaque directory right behind it. */
function withMarkers(planned: readonly PlannedEntry[], opaque: ReadonlySet<string>): readonly PlannedEntry[] {
  return planned.flatMap((entry) => {
    const { name, type } = entry.header;
    const path = name.replace(/\/$/, '');
    if (type !== 'directory' || !opaque.has(path)) return [entry];
    return [entry, { header: { name: `${path}/.wh..wh..opq`, mode: 0o600, size: 0 } }];
  });
}

const forms = ['trusted', 'user'] as const;

function attribute({ directory, name }: DiskPlace, key: string): Buffer | undefined {
  for (const form of forms) {
    try {
      const value = linux.lgetxattr(procPath(directory, name), `${form}.overlay.${key}`);
      if (value !== undefined) return value;
    } catch (error) {
      // Links and devices have no attributes of users.
      if (!hasErrno(error, 'ENOTSUP', 'EPERM')) throw error;
    }
  }
  return undefined;
}

function isHidden(place: DiskPlace): boolean {
  const { type, status } = place;
  if (isWhiteout(status)) return true;
  return type === 'file' && status.size === 0 && attribute(place, 'whiteout') !== undefined;
}

function isOpaqueDirectory({ directory, name }: DiskPlace): boolean {
  return forms.some((form) => isOpaque(directory, name, form));
}

function refuseReferences(place: DiskPlace, path: string): void {
  const found = ['redirect', 'metacopy'].find((key) => attribute(place, key) !== undefined);
  if (found === undefined) return;
  throw new BundleError(
    'ERR_OCI_REPACK_FAILED',
    `${path} refers to the lower directories of its overlay (${found})`,
    { path, hint: 'mount the overlay with redirect_dir=off,metacopy=off, or copy the merged tree' },
  );
}

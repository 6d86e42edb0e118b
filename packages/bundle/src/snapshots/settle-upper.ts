import * as linux from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { pathDepthLimit } from '../limits.ts';
import { entryType } from '../repack/disk-entry.ts';
import { openDirectory } from '../repack/open-directory.ts';
import { hasErrno } from '../rootfs/failure.ts';
import {
  attributeNames,
  isOpaque,
  isOverlayAttribute,
  type OverlayForm,
  procPath,
} from '../rootfs/overlay/marks.ts';
import { copyRoot } from './copy-root.ts';

const { AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } = linux.constants;

/** Options of {@link settleUpper}. */
export interface SettleUpperOptions {
  readonly form: OverlayForm;
  /** The uppermost of the directories below. */
  readonly lower: string | undefined;
  /** No time stays later than this, in nanoseconds since 1970. */
  readonly clampNs?: bigint | undefined;
  /** Paths that were made for something to be mounted there: they go, but for directories that more was put into. */
  readonly mountPoints?: ReadonlySet<string> | undefined;
  /**
   * What the directories in which they were made look like below: one of them in which nothing else was done is not
   * part of the layer either.
   */
  readonly parents?: ReadonlyMap<string, Pick<linux.FileStatus, 'mode' | 'uid' | 'gid'>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Settling extends SettleUpperOptions {
  /** The marks of this form that mean something to layers, or that they cannot hold. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Makes the upper directory of an overlay, mounted no more, look as if its layer had been unpacked: sockets, mount points
 * and the notes of overlayfs for itself go, also marks that a process in it has made, and times are cut. What
 * {@link overlayEntries} says of it afterwards is the layer.
 */
export function settleUpper(upper: string, options: SettleUpperOptions): void {
  const marks = ['opaque', 'redirect', 'metacopy'].map((key) => `${options.form}.overlay.${key}`);
  const settling: Settling = { ...options, kept: new Set(marks) };
  using top = openDirectory(AT_FDCWD, upper, { unlock: false });
  settleChildren(settling, { fd: top.fd, path: '', depth: 0 });
  removeNotes(settling, top.fd, '.');
  if (options.lower !== undefined) copyRoot(options.lower, upper);
}

function settleChildren(
  settling: Settling,
  at: { readonly fd: number; readonly path: string; readonly depth: number },
): void {
  settling.signal?.throwIfAborted();
  if (at.depth > pathDepthLimit)
    throw new BundleError('ERR_OCI_REPACK_FAILED', `${at.path} lies too deep`, { limit: pathDepthLimit });
  for (const name of linux.listdir(at.fd)) {
    const path = at.path === '' ? name : `${at.path}/${name}`;
    const status = linux.fstatat(at.fd, name, { flags: AT_SYMLINK_NOFOLLOW });
    const type = entryType(status);
    if (type === 'directory') {
      using child = openDirectory(at.fd, name, { unlock: false });
      settleChildren(settling, { fd: child.fd, path, depth: at.depth + 1 });
    }
    const isMountPoint = settling.mountPoints?.has(path) ?? false;
    const isUnused = isMountPoint || type === undefined || isSame(status, settling.parents?.get(path));
    const isMarked = type === 'directory' && isOpaque(at.fd, name, settling.form);
    if (isUnused && !isMarked && removed(at.fd, name, type)) continue;
    removeNotes(settling, at.fd, name);
    cutTimes(settling, at.fd, name);
  }
}

function isSame(
  { mode, uid, gid }: linux.FileStatus,
  below: Pick<linux.FileStatus, 'mode' | 'uid' | 'gid'> | undefined,
): boolean {
  return below !== undefined && below.mode === mode && below.uid === uid && below.gid === gid;
}

/** False for a directory that is not empty. */
function removed(fd: number, name: string, type: string | undefined): boolean {
  try {
    linux.unlinkat(fd, name, type === 'directory' ? { flags: AT_REMOVEDIR } : {});
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

function removeNotes({ kept }: Settling, fd: number, name: string): void {
  const place = procPath(fd, name);
  for (const attribute of attributeNames(place))
    if (isOverlayAttribute(attribute) && !kept.has(attribute)) linux.lremovexattr(place, attribute);
}

/** After what is in a directory, which changes its time. */
function cutTimes({ clampNs }: Settling, fd: number, name: string): void {
  if (clampNs === undefined) return;
  const { mtimeNs } = linux.fstatat(fd, name, { flags: AT_SYMLINK_NOFOLLOW });
  if (mtimeNs > clampNs)
    linux.utimensat(fd, name, { atimeNs: clampNs, mtimeNs: clampNs, flags: AT_SYMLINK_NOFOLLOW });
}

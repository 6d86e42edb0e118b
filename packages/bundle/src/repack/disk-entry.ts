import {
  entryLinkname,
  isSameAttributes,
  type TarEntry,
  type TarEntryType,
  type TreeNode,
} from '@ocijs/image';
import * as linux from '@ocijs/linux';
import { mapId, unmapId } from '../id-map.ts';
import { fileCapability, plainCapability } from '../rootfs/file-capability.ts';
import { ownerNoteName, parseOwnerNote } from '../spec/owner-note.ts';
import type { BundleState } from '../state.ts';
import { readAttributes } from './attributes.ts';

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } = linux.constants;

const types: ReadonlyMap<number, TarEntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'character-device'],
  [S_IFBLK, 'block-device'],
  [S_IFIFO, 'fifo'],
]);

const ownerMayRead = 0o400;

/** What a file is, in terms of a layer; undefined for a socket, which no layer can hold. */
export function entryType({ mode }: linux.FileStatus): TarEntryType | undefined {
  return types.get(mode & S_IFMT);
}

/** How the root file system was unpacked, as far as its files differ from the image for that. */
export type Unpacked = Pick<BundleState, 'rootless' | 'placeholderDevices' | 'uidMap' | 'gidMap'>;

/** Where a file is. */
export interface DiskPlace {
  readonly directory: number;
  readonly name: string;
  readonly status: linux.FileStatus;
  readonly type: TarEntryType;
}

/** Only root of the initial user namespace may set these, so that unpacking left them out for others. */
const privileged = /^(security|trusted)\./;

/**
 * The entry that a file has in a layer. `before` is what the image has under the name: where files belong to the
 * caller whoever owned them, devices are empty files, and attributes could not be set, the image's stay.
 */
export function diskEntry(
  { directory, name, status, type }: DiskPlace,
  { before, unpacked }: { readonly before: TreeNode | undefined; readonly unpacked: Unpacked },
): TarEntry {
  const old = before?.inode.header;
  const path = `/proc/self/fd/${directory}/${name}`;
  const mode = status.mode & 0o7777;
  const isLockable = unpacked.rootless && (type === 'file' || type === 'directory');
  const unlocked = isLockable ? mode | ownerMayRead : undefined;
  const xattrs = new Map(readAttributes(path, { mode, unlocked }));
  const capability = xattrs.get(fileCapability);
  if (capability !== undefined && !unpacked.rootless && unpacked.uidMap.length > 0) {
    const rootId = mapId(0, { mappings: unpacked.uidMap, kind: 'user' });
    xattrs.set(fileCapability, plainCapability(capability, { rootId }));
  }
  const noted = xattrs.get(ownerNoteName);
  const owner = noted === undefined || !unpacked.rootless ? undefined : parseOwnerNote(noted);
  if (unpacked.rootless) xattrs.delete(ownerNoteName);
  const isPlaceholder = old !== undefined && isPlaceholderOf(old, { status, type, unpacked });
  const isSameFile = old !== undefined && old.type === type && old.mtimeNs === status.mtimeNs;
  if (unpacked.placeholderDevices === true && (isSameFile || isPlaceholder))
    for (const [key, value] of old.xattrs)
      if (privileged.test(key) && !xattrs.has(key)) xattrs.set(key, value);
  const ids = unpacked.rootless
    ? { uid: owner?.uid ?? old?.uid ?? 0, gid: owner?.gid ?? old?.gid ?? 0 }
    : {
        uid: unmapId(status.uid, { mappings: unpacked.uidMap, kind: 'user' }),
        gid: unmapId(status.gid, { mappings: unpacked.gidMap, kind: 'group' }),
      };
  const isDevice = type === 'character-device' || type === 'block-device';
  return {
    name: '',
    type: isPlaceholder ? old.type : type,
    mode: type === 'symlink' ? 0o777 : mode,
    ...ids,
    uname: '',
    gname: '',
    size: type === 'file' && !isPlaceholder ? status.size : 0,
    mtimeNs: status.mtimeNs,
    ...linkOf(type === 'symlink' ? linux.readlinkat(directory, name) : ''),
    deviceMajor: isPlaceholder ? old.deviceMajor : isDevice ? status.rdevMajor : 0,
    deviceMinor: isPlaceholder ? old.deviceMinor : isDevice ? status.rdevMinor : 0,
    xattrs,
    offset: 0,
  };
}

function linkOf(linkname: string): Pick<TarEntry, 'linkname' | 'linknameBytes'> {
  return linkname.isWellFormed() ? { linkname } : { linkname, linknameBytes: linux.nameToBytes(linkname) };
}

/** An empty file in the place of a device that could not be made. */
function isPlaceholderOf(
  old: TarEntry,
  { status, type, unpacked }: Pick<DiskPlace, 'status' | 'type'> & { readonly unpacked: Unpacked },
): boolean {
  return (
    (unpacked.placeholderDevices ?? unpacked.rootless) &&
    (old.type === 'character-device' || old.type === 'block-device') &&
    type === 'file' &&
    status.size === 0
  );
}

/** Whether an entry says the same as another, apart from the content of files. */
export function isSameMetadata(a: TarEntry, b: TarEntry): boolean {
  if (a.type !== b.type || a.mtimeNs !== b.mtimeNs || a.uid !== b.uid || a.gid !== b.gid) return false;
  if (a.type !== 'symlink' && a.mode !== b.mode) return false;
  if (a.type === 'symlink' && entryLinkname(a) !== entryLinkname(b)) return false;
  if (a.size !== b.size || a.deviceMajor !== b.deviceMajor || a.deviceMinor !== b.deviceMinor) return false;
  return isSameAttributes(a, b);
}

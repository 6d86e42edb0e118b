import * as linux from '@ocijs/linux';
import type { MetadataTarget, NamedEntry, RootfsOperations } from '../operations.ts';
import { createContentCopier } from './copy-content.ts';
import { attributeNames, isOverlayAttribute, modeAttribute, procPath } from './marks.ts';
import { isDirectory, type LowerFile } from './merged-directories.ts';

const { O_NOFOLLOW, O_RDONLY, S_IFBLK, S_IFCHR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } = linux.constants;

/** The kernel's security policy labels files by their place, not by where they came from. */
const hostAttribute = 'security.selinux';

/** Copies files of a layer, with all that an image says about them. */
export interface FileCopier {
  /**
   * Makes a copy, and of a directory an empty one, at a name that is free. The content is shared where the
   * file system can (reflinks). Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when holes would take too much space.
   */
  copy(source: LowerFile, target: NamedEntry): void;
  /** Makes a directory that its owner may write to; true when it has its owner and mode already. */
  makeDirectory(source: LowerFile, target: NamedEntry): boolean;
  /** Copies owner, mode, attributes and times only; `settled` of those as {@link FileCopier.makeDirectory} tells. */
  copyMetadata(source: LowerFile, target: NamedEntry, options?: { readonly settled: boolean }): void;
}

/** How {@link createFileCopier} copies. */
export interface FileCopierOptions {
  /**
   * Give the copies the permissions that their snapshots had to be kept without. Directories are to get theirs when
   * they are full, see {@link notedMode}.
   */
  readonly restoreModes: boolean;
  /** What is made in the target inherits neither a group nor a default ACL. False by default, which is slower. */
  readonly isPlain?: boolean;
  /** The umask of this thread, if it is known: a file that it takes nothing from is made with its mode. */
  readonly umask?: () => number | undefined;
}

/** A copier. */
export function createFileCopier(
  operations: RootfsOperations,
  { restoreModes, isPlain = false, umask = () => undefined }: FileCopierOptions,
): FileCopier {
  const copyContent = createContentCopier();
  const { creator } = operations;
  const isRoot = process.geteuid?.() === 0;

  /** All by descriptors: of the system calls that a file takes, those with paths are the slow ones. */
  function copyRegular(source: LowerFile, target: NamedEntry): void {
    const { layer, path, status } = source;
    const from = linux.openat(layer, path, { flags: O_RDONLY | O_NOFOLLOW });
    try {
      const settled = isSettled(status);
      const to = operations.createFile(target, settled ? status.mode & 0o7777 : undefined);
      try {
        copyContent({ source: from, target: to, size: status.size });
        const names = listAttributes(() => linux.flistxattr(from));
        setMetadata(source, {
          target: { fd: to },
          names,
          settled,
          owned: settled,
          read: (name) => linux.fgetxattr(from, name),
        });
      } finally {
        operations.close(to);
      }
    } finally {
      linux.close(from);
    }
  }

  /** Whether what is made gets this owner by itself. */
  function isOwn({ uid, gid }: linux.FileStatus): boolean {
    return isPlain && creator?.uid === uid && creator.gid === gid;
  }

  /** Whether a file can be made as it is to be; set-id bits would not survive the writing of content everywhere. */
  function isSettled(status: linux.FileStatus): boolean {
    const mask = umask();
    return mask !== undefined && (status.mode & (0o7000 | mask)) === 0 && isOwn(status);
  }

  function create(source: LowerFile, target: NamedEntry): void {
    const { layer, path, status } = source;
    const type = status.mode & S_IFMT;
    if (isDirectory(status)) operations.makeDirectory(target);
    else if (type === S_IFLNK) operations.makeSymlink(target, linux.readlinkat(layer, path));
    else if (type === S_IFIFO) operations.makeNode(target, { type: 'fifo', major: 0, minor: 0 });
    else if (type === S_IFCHR || type === S_IFBLK) {
      operations.makeNode(target, {
        type: type === S_IFCHR ? 'character-device' : 'block-device',
        major: status.rdevMajor,
        minor: status.rdevMinor,
      });
    }
  }

  function setNamed(
    source: LowerFile,
    { target, ...made }: { readonly target: NamedEntry } & Pick<Metadata, 'settled' | 'owned'>,
  ): void {
    const place = procPath(source.layer, source.path);
    const read = (name: string): Buffer | undefined => linux.lgetxattr(place, name);
    setMetadata(source, { ...made, target, names: attributeNames(place), read });
  }

  function setMetadata(source: LowerFile, { target, names, settled, owned, read }: Metadata): void {
    const { status } = source;
    const { uid, gid } = status;
    // An ordinary user owns all files of its snapshots.
    if (isRoot && !owned) operations.setOwner(target, { uid, gid });
    const attributes = names.filter((name) =>
      name === modeAttribute ? !restoreModes : !isOverlayAttribute(name) && name !== hostAttribute,
    );
    if (!isPlain) removeInherited(target, attributes);
    const isLink = (status.mode & S_IFMT) === S_IFLNK;
    const isNoted = restoreModes && !isDirectory(status) && names.includes(modeAttribute);
    // Those of a file may be set by whoever may write to it.
    const isOpened = attributes.length > 0 && !isRoot && !isLink;
    if (isOpened) operations.setMode(target, 0o700);
    for (const name of attributes) {
      const value = read(name);
      if (value !== undefined) operations.setAttribute(target, name, value);
    }
    const mode = isNoted ? notedMode(source) : undefined;
    if (!isLink && (!settled || isOpened || mode !== undefined || attributes.length > 0))
      operations.setMode(target, mode ?? status.mode & 0o7777);
    operations.setTimes(target, status);
  }

  /** What a directory passes on to everything that is made in it. */
  function removeInherited(target: MetadataTarget, attributes: readonly string[]): void {
    for (const name of listAttributes(() => operations.listAttributes(target)))
      if (name.startsWith('system.posix_acl_') && !attributes.includes(name))
        operations.removeAttribute(target, name);
  }

  return {
    makeDirectory(source, target) {
      const settled = (source.status.mode & 0o700) === 0o700 && isSettled(source.status);
      operations.makeDirectory(target, settled ? source.status.mode & 0o7777 : undefined);
      return settled;
    },
    copyMetadata: (source, target, { settled } = { settled: false }) =>
      setNamed(source, { target, settled, owned: settled }),
    copy(source, target) {
      if ((source.status.mode & S_IFMT) === S_IFREG) {
        copyRegular(source, target);
        return;
      }
      create(source, target);
      setNamed(source, { target, settled: false, owned: isOwn(source.status) });
    },
  };
}

/** What {@link setMetadata} takes besides the file. */
interface Metadata {
  readonly target: MetadataTarget;
  /** Of the source's extended attributes. */
  readonly names: readonly string[];
  readonly read: (name: string) => Buffer | undefined;
  /** It was made with its owner and mode. */
  readonly settled: boolean;
  /** It was made with its owner. */
  readonly owned: boolean;
}

function listAttributes(list: () => string[]): readonly string[] {
  try {
    return list();
  } catch (error) {
    if (linux.isSystemCallError(error, 'ENOTSUP')) return [];
    throw error;
  }
}

/** The permissions that a file of a snapshot had to be kept without; undefined when it has them itself. */
export function notedMode({ layer, path }: LowerFile): number | undefined {
  if (!attributeNames(procPath(layer, path)).includes(modeAttribute)) return undefined;
  const noted = linux.lgetxattr(procPath(layer, path), modeAttribute)?.toString() ?? '';
  return Number.parseInt(noted, 8) & 0o7777;
}

import { constants, copyFileSync, lstatSync } from 'node:fs';
import * as linux from '@ocijs/linux';
import { BundleError } from '../../errors.ts';
import { filledHolesLimit } from '../../limits.ts';
import type { NamedEntry, RootfsOperations } from '../operations.ts';
import { attributeNames, isOverlayAttribute, modeAttribute, procPath } from './marks.ts';
import { isDirectory, type LowerFile } from './merged-directories.ts';

const { S_IFBLK, S_IFCHR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } = linux.constants;
const blockSize = 512;

/** The kernel's security policy labels files by their place, not by where they came from. */
const hostAttribute = 'security.selinux';

/** Copies files of a layer, with all that an image says about them. */
export interface FileCopier {
  /**
   * Makes a copy, and of a directory an empty one, at a name that is free. The content is shared where the
   * file system can (reflinks). Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when holes would take too much space.
   */
  copy(source: LowerFile, target: NamedEntry): void;
  /** Copies owner, mode, attributes and times only. */
  copyMetadata(source: LowerFile, target: NamedEntry): void;
}

/** How {@link createFileCopier} copies. */
export interface FileCopierOptions {
  /**
   * Give the copies the permissions that their snapshots had to be kept without. Directories are to get theirs when
   * they are full, see {@link notedMode}.
   */
  readonly restoreModes: boolean;
}

/** A copier with a limit of its own on holes. */
export function createFileCopier(
  operations: RootfsOperations,
  { restoreModes }: FileCopierOptions,
): FileCopier {
  let filled = 0;

  function copyContent({ layer, path, status }: LowerFile, { directory, name }: NamedEntry): void {
    const source = linux.nameToBytes(procPath(layer, path));
    const { blocks } = lstatSync(Buffer.from(source));
    filled += Math.max(0, status.size - blocks * blockSize);
    if (filled > filledHolesLimit) {
      throw new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', 'copying would fill holes of sparse files', {
        limit: filledHolesLimit,
        path,
      });
    }
    const target = linux.nameToBytes(procPath(directory, name));
    copyFileSync(
      Buffer.from(source),
      Buffer.from(target),
      constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
    );
  }

  function create(source: LowerFile, target: NamedEntry): void {
    const { layer, path, status } = source;
    const type = status.mode & S_IFMT;
    if (isDirectory(status)) operations.makeDirectory(target);
    else if (type === S_IFREG) copyContent(source, target);
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

  function copyMetadata(source: LowerFile, target: NamedEntry): void {
    const { layer, path, status } = source;
    const { uid, gid } = status;
    const isRoot = process.geteuid?.() === 0;
    // An ordinary user owns all files of its snapshots.
    if (isRoot) operations.setOwner(target, { uid, gid });
    const names = attributeNames(procPath(layer, path));
    const attributes = names.filter((name) =>
      name === modeAttribute ? !restoreModes : !isOverlayAttribute(name) && name !== hostAttribute,
    );
    const isLink = (status.mode & S_IFMT) === S_IFLNK;
    // Those of a file may be set by whoever may write to it.
    if (attributes.length > 0 && !isRoot && !isLink) operations.setMode(target, 0o700);
    for (const name of attributes) {
      const value = linux.lgetxattr(procPath(layer, path), name);
      if (value !== undefined) operations.setAttribute(target, name, value);
    }
    const isNoted = restoreModes && !isDirectory(status) && names.includes(modeAttribute);
    const mode = isNoted ? notedMode(source) : undefined;
    if (!isLink) operations.setMode(target, mode ?? status.mode & 0o7777);
    operations.setTimes(target, status);
  }

  return {
    copyMetadata,
    copy(source, target) {
      create(source, target);
      copyMetadata(source, target);
    },
  };
}

/** The permissions that a file of a snapshot had to be kept without; undefined when it has them itself. */
export function notedMode({ layer, path }: LowerFile): number | undefined {
  if (!attributeNames(procPath(layer, path)).includes(modeAttribute)) return undefined;
  const noted = linux.lgetxattr(procPath(layer, path), modeAttribute)?.toString() ?? '';
  return Number.parseInt(noted, 8) & 0o7777;
}

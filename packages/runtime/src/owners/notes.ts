import { constants as system } from 'node:os';
import { encodeOwnerNote, ownerNoteName, parseOwnerNote } from '@ocijs/bundle/spec';
import {
  answerChmod,
  answerSetAttribute,
  constants,
  type FileIdentity,
  fileSystemOf,
  shortAttribute,
} from '@ocijs/linux';
import { rememberedOwnerLimit } from '../limits.ts';

const { EACCES, ENOMEM, ENOTSUP, EROFS } = system.errno;
const { S_IFDIR, S_IFMT, S_IFREG } = constants;
const ownerMayWrite = 0o200;
const [setUser, setGroup, groupMayExecute] = [0o4000, 0o2000, 0o10];

/** Who a file belongs to, as the container sees it. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A file that is open as O_PATH. */
export interface OpenFile {
  readonly fd: number;
  readonly identity: FileIdentity;
}

/** The path by which the kernel finds an open file again. */
export function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** False when there is surely no note at this path. */
export function mayHaveNote(path: string): boolean {
  return shortAttribute(path, ownerNoteName) !== 'none';
}

/**
 * Who the files of a container belong to. It is noted at regular files and directories, in the form that unpacking uses. Links,
 * nodes and sockets cannot have such a note, nor files on some file systems: theirs is remembered as long as the container runs.
 */
export class OwnerNotes {
  readonly #remembered = new Map<string, Owner>();
  /** What was noted at files: some modes keep their owner from reading it again. */
  readonly #noted = new Map<string, Owner>();

  /** True when files that cannot have a note may have an owner. */
  get remembers(): boolean {
    return this.#remembered.size > 0;
  }

  /** The noted owner; undefined for a file of root. */
  read({ fd, identity }: OpenFile): Owner | undefined {
    const value = shortAttribute(pathOf(fd), ownerNoteName);
    const note = typeof value === 'string' ? undefined : parseOwnerNote(value);
    if (note !== undefined) return { uid: note.uid ?? 0, gid: note.gid ?? 0 };
    const key = keyOf(identity);
    return (value === 'unknown' ? this.#noted.get(key) : undefined) ?? this.#remembered.get(key);
  }

  /** Notes an owner. The answer is the kernel's: 0, or an errno negated. */
  write(file: OpenFile, owner: Owner): number {
    const isRoot = owner.uid === 0 && owner.gid === 0;
    const before = this.read(file);
    if (before === undefined && isRoot) return this.#isReadOnly(file) ? -EROFS : clearSetId(file);
    const type = file.identity.mode & S_IFMT;
    if (type === S_IFREG || type === S_IFDIR) {
      // Root is noted as well: without a note, the file would be repacked with the owner that the image has.
      const result = setNote(file, encodeOwnerNote(owner));
      if (result !== -ENOTSUP) {
        if (result < 0) return result;
        const key = keyOf(file.identity);
        this.#remembered.delete(key);
        if (this.#noted.size < rememberedOwnerLimit || this.#noted.has(key)) this.#noted.set(key, owner);
        return clearSetId(file);
      }
    }
    if (this.#isReadOnly(file)) return -EROFS;
    return this.remember(file.identity, owner) ? clearSetId(file) : -ENOMEM;
  }

  /** Remembers an owner; false when there are too many. */
  remember(identity: FileIdentity, owner: Owner): boolean {
    const key = keyOf(identity);
    if (owner.uid === 0 && owner.gid === 0) this.#remembered.delete(key);
    else if (this.#remembered.size >= rememberedOwnerLimit && !this.#remembered.has(key)) return false;
    else this.#remembered.set(key, owner);
    return true;
  }

  #isReadOnly({ fd }: OpenFile): boolean {
    return fileSystemOf(fd)?.isReadOnly ?? true;
  }
}

/** A file that got the number of another one is of another kind, or was made at another time. */
function keyOf({ file, mode }: FileIdentity): string {
  return `${file}:${mode & S_IFMT}`;
}

/** Sets a note; at a file that its owner may not write to, with a mode in which they may meanwhile. */
function setNote({ fd, identity }: OpenFile, value: Uint8Array): number {
  const path = pathOf(fd);
  const result = answerSetAttribute(path, ownerNoteName, value);
  if (result !== -EACCES) return result;
  const mode = identity.mode & 0o7777;
  const changed = answerChmod(path, mode | ownerMayWrite);
  if (changed < 0) return changed;
  const again = answerSetAttribute(path, ownerNoteName, value);
  const restored = answerChmod(path, mode);
  return again < 0 ? again : restored;
}

/** As chown(2) does for files of any user, root's included. */
function clearSetId({ fd, identity }: OpenFile): number {
  const { mode } = identity;
  const type = mode & S_IFMT;
  const dropped = (mode & setUser) | ((mode & groupMayExecute) === 0 ? 0 : mode & setGroup);
  if (type !== S_IFREG || dropped === 0) return 0;
  return answerChmod(pathOf(fd), mode & 0o7777 & ~dropped);
}

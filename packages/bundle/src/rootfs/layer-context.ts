import type { IdMapping } from '../spec/types.ts';
import type { DirectoryTree } from './directory-tree.ts';
import type { RootfsOperations } from './operations.ts';

/** How layers are applied. */
export interface ApplyOptions {
  /** For an ordinary user: owners are not set, and devices become empty files. */
  readonly rootless: boolean;
  /** Devices become empty files; also for root inside a user namespace, where making them is forbidden. */
  readonly placeholderDevices: boolean;
  readonly uidMap: readonly IdMapping[];
  readonly gidMap: readonly IdMapping[];
  /** A directory entry that meets a link to a directory goes through the link instead of replacing it. */
  readonly keepDirlinks: boolean;
}

/** Something that was left out, once for each code. */
export interface ApplyWarning {
  readonly code: string;
  readonly message: string;
}

/** What the steps of all entries of a layer share. */
export interface LayerContext extends ApplyOptions {
  readonly operations: RootfsOperations;
  readonly tree: DirectoryTree;
  /** Who owns directories that no entry describes. */
  readonly rootOwner: { readonly uid: number; readonly gid: number };
  /** False once the file system said that it has no extended attributes. */
  attributes: boolean;
  warn(warning: ApplyWarning): void;
}

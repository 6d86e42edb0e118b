import * as linux from '@ocijs/linux';
import { isPlainDirectory } from '../directory-tree.ts';
import { linuxOperations } from '../linux-operations.ts';
import type { RootfsOperations } from '../operations.ts';
import { createFileCopier, type FileCopier } from './copy-file.ts';
import { listLayer, type OverlayForm } from './marks.ts';
import { findLower, isDirectory, type LowerFile } from './merged-directories.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH } = linux.constants;

/** How many files are copied before others get their turn. */
const filesAtOnce = 100;

/** A stack of layers. */
export interface TreeLayers {
  /** The uppermost first. */
  readonly layers: readonly string[];
  readonly form: OverlayForm;
}

/** A directory that was made, without the files in it. */
export interface DirectoryToFill {
  /** Relative to the top, which is `.`. */
  readonly path: string;
  /** Which layers show through, the uppermost first. */
  readonly layers: readonly number[];
}

/** A file with several names, which may be in different directories. */
export interface LinkedFile {
  readonly layer: number;
  readonly path: string;
}

/** What files are copied from, to, and with. */
export interface OpenTree extends Disposable {
  /** The descriptors of the layers, the uppermost first. */
  readonly lowers: readonly number[];
  /** The descriptor of the target. */
  readonly root: number;
  readonly operations: RootfsOperations;
  readonly copier: FileCopier;
  /** Call it when others may have changed the umask. */
  readonly refresh: () => void;
}

/** Opens layers, and the target for their copy. */
export function openTree(target: string, { layers }: Pick<TreeLayers, 'layers'>): OpenTree {
  const [uid, gid] = [process.geteuid?.(), process.getegid?.()];
  const creator = uid === undefined || gid === undefined ? undefined : { uid, gid };
  const operations: RootfsOperations = { ...linuxOperations(), creator };
  using opening = new DisposableStack();
  const kept = (fd: number): number => {
    opening.defer(() => linux.close(fd));
    return fd;
  };
  const lowers = layers.map((path) =>
    kept(linux.openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW })),
  );
  const root = kept(operations.openRoot(target));
  const isPlain = isPlainDirectory(operations, { directory: root, name: '.' });
  let umask = linux.currentUmask();
  const copier = createFileCopier(operations, { restoreModes: true, isPlain, umask: () => umask });
  const opened = opening.move();
  return {
    lowers,
    root,
    operations,
    copier,
    refresh: () => {
      umask = linux.currentUmask();
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Copies the files in some directories, and yields now and then; those with several names are only noted in `linked`. */
export function* copyFiles(
  tree: OpenTree,
  directories: Iterable<DirectoryToFill>,
  linked: LinkedFile[],
): Generator<undefined, void, undefined> {
  const { lowers, root, operations, copier } = tree;
  let count = 0;
  for (const { path: parent, layers } of directories) {
    const target = operations.openDirectory(root, parent);
    try {
      for (const [name, having] of layersByName(lowers, { path: parent, layers })) {
        const path = parent === '.' ? name : `${parent}/${name}`;
        const source = findLower(having, path);
        if (source === undefined || isDirectory(source.status)) continue;
        count += 1;
        if (count % filesAtOnce === 0) {
          yield;
          tree.refresh();
        }
        if (source.status.nlink > 1) linked.push({ layer: lowers.indexOf(source.layer), path });
        else copier.copy(source, { directory: target, name });
      }
    } finally {
      operations.close(target);
    }
  }
}

/** Copies the files with several names. */
export function* copyLinked(
  tree: OpenTree,
  linked: Iterable<LinkedFile>,
): Generator<undefined, void, undefined> {
  const { lowers, root, copier } = tree;
  /** Where the first name is in the target, by layer and inode. */
  const names = new Map<string, string>();
  let count = 0;
  for (const { layer, path } of linked) {
    count += 1;
    if (count % filesAtOnce === 0) {
      yield;
      tree.refresh();
    }
    const source: LowerFile | undefined = findLower(lowers.slice(layer, layer + 1), path);
    if (source === undefined) continue;
    const key = `${layer}:${source.status.ino}`;
    const first = names.get(key);
    const target = { directory: root, name: path };
    if (first !== undefined) {
      linux.linkat({ directory: root, path: first }, { directory: root, path });
      continue;
    }
    names.set(key, path);
    copier.copy(source, target);
  }
}

/** The names in a directory, and which layers have them: asking layers that do not is most of the work otherwise. */
function layersByName(
  lowers: readonly number[],
  { path, layers }: DirectoryToFill,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const index of layers) {
    const layer = lowers[index] ?? -1;
    for (const name of listLayer(layer, path)) {
      const having = found.get(name);
      if (having === undefined) found.set(name, [layer]);
      else having.push(layer);
    }
  }
  return found;
}

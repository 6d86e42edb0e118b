import { join } from 'node:path';
import * as linux from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { symbolicLinksLimit } from '../limits.ts';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { notedMode } from '../rootfs/overlay/copy-file.ts';
import {
  attributeNames,
  isOverlayAttribute,
  listLayer,
  type OverlayForm,
  procPath,
} from '../rootfs/overlay/marks.ts';
import {
  findLower,
  isDirectory,
  type LowerFile,
  type MergedDirectory,
  mergeDirectories,
  pathIn,
} from '../rootfs/overlay/merged-directories.ts';
import { type RecordedOwner, readRecordedOwner } from '../rootfs/recorded-owner.ts';

const {
  AT_FDCWD,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} = linux.constants;

/** How many directories a tree remembers. */
const heldDirectories = 256;

/** A file of a {@link LayeredTree}. */
export interface TreeFile {
  /** Relative to the root, which is `.`; no component is a symbolic link, and the last one only if it is the file. */
  readonly path: string;
  readonly status: linux.FileStatus;
  /** Permission, set-id and sticky bits, as the layer has them. */
  readonly mode: number;
  /** Which layer has it, from 0, the uppermost first. */
  readonly layer: number;
}

/** Where a path leads. */
export interface ResolvedPath {
  /** Without symbolic links, `.` and `..`, as far as it exists; relative to the root, which is `.`. */
  readonly path: string;
  /** What is there; undefined when the path does not exist. */
  readonly file: TreeFile | undefined;
}

/** Directories laid over each other, looked at without mounting anything. Names that are not UTF-8 are as in `@ocijs/linux`. */
export interface LayeredTree extends Disposable {
  /**
   * Follows a path as a process would whose root the tree is: no link leads out of it. `followLast`: also when the last
   * component is a link. Throws ERR_OCI_LAYER_INVALID for too many links, and for a file in the place of a directory.
   */
  resolve(path: string, options: { readonly followLast: boolean }): ResolvedPath;
  /** What is in a directory, in the order of the names. */
  children(directory: TreeFile): readonly (readonly [string, TreeFile])[];
  /** Opens a file for reading; close it with `close` of `@ocijs/linux`. */
  open(file: TreeFile): number;
  readLink(file: TreeFile): string;
  /** Where the file is on disk; a directory is in several places, the uppermost first, laid over each other. */
  places(file: TreeFile): readonly string[];
  /** The extended attributes but those that only mean something to overlayfs. */
  attributes(file: TreeFile): ReadonlyMap<string, Buffer>;
}

/** Options of {@link openLayeredTree}. */
export interface LayeredTreeOptions {
  /** Files that all belong to the caller have a note of whose they are, see `Snapshots.notesOwners`. */
  readonly notedOwners?: boolean | undefined;
}

/** Opens directories as one tree, the uppermost first. */
export function openLayeredTree(
  layers: readonly string[],
  form: OverlayForm,
  { notedOwners = false }: LayeredTreeOptions = {},
): LayeredTree {
  using opened = new DisposableStack();
  const lowers = layers.map((path) => {
    const fd = linux.openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW });
    opened.defer(() => linux.close(fd));
    return fd;
  });
  const merged = mergeDirectories(linuxOperations(), undefined, { lowers, form });
  const kept = opened.move();

  const descriptor = ({ layer }: TreeFile): number => lowers[layer] ?? -1;
  const treeFile = (found: LowerFile): TreeFile => ({
    path: found.path,
    status: notedOwners ? { ...found.status, ...notedOwner(found) } : found.status,
    mode: (form === 'user' ? notedMode(found) : undefined) ?? found.status.mode & 0o7777,
    layer: lowers.indexOf(found.layer),
  });

  const held: MergedDirectory[] = [];

  /** The last directories are kept: the next path mostly leads there, too. */
  function within<Result>(path: string, use: (directory: MergedDirectory) => Result): Result {
    const directory = merged.acquire(merged.root, path);
    held.push(directory);
    const [oldest] = held;
    if (held.length > heldDirectories && oldest !== undefined) {
      held.shift();
      merged.release(oldest);
    }
    return use(directory);
  }

  function lookUp(parent: string, name: string): TreeFile | undefined {
    const found = within(parent, (directory) => findLower(directory.lowers, pathIn(directory, name)));
    return found === undefined ? undefined : treeFile(found);
  }

  function root(): TreeFile {
    const [layer = -1] = lowers;
    return treeFile({ layer, path: '.', status: linux.fstat(layer) });
  }

  function resolve(path: string, { followLast }: { readonly followLast: boolean }): ResolvedPath {
    const pending = path.split('/').reverse();
    const at: string[] = [];
    const missing: string[] = [];
    let file: TreeFile | undefined = root();
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (missing.pop() === undefined) at.pop();
        file =
          missing.length > 0
            ? undefined
            : at.length === 0
              ? root()
              : lookUp(at.slice(0, -1).join('/'), at.at(-1) ?? '');
        continue;
      }
      const found = missing.length > 0 ? undefined : lookUp(at.join('/'), name);
      const isLast = pending.every((rest) => rest === '' || rest === '.');
      if (found === undefined) {
        missing.push(name);
        file = undefined;
      } else if (isLink(found.status) && (followLast || !isLast)) {
        links += 1;
        if (links > symbolicLinksLimit) throw invalid(path, 'has too many symbolic links');
        const target = readLink(found);
        if (target.startsWith('/')) at.length = 0;
        file = at.length === 0 ? root() : lookUp(at.slice(0, -1).join('/'), at.at(-1) ?? '');
        pending.push(...target.split('/').reverse());
      } else {
        if (!isLast && !isDirectory(found.status))
          throw invalid(path, `leads through ${found.path}, which is no directory`);
        at.push(name);
        file = found;
      }
    }
    return { path: [...at, ...missing].join('/') || '.', file };
  }

  function readLink(file: TreeFile): string {
    return linux.readlinkat(descriptor(file), file.path);
  }

  return {
    resolve,
    readLink,
    places: (file) => {
      const { path } = file;
      if (!isDirectory(file.status)) return [join(layers[file.layer] ?? '', path)];
      return within(path === '.' ? '' : path, ({ lowers: found }) =>
        found.map((layer) => join(layers[lowers.indexOf(layer)] ?? '', path)),
      );
    },
    children: ({ path }) =>
      within(path === '.' ? '' : path, (directory) => {
        const names = new Set(directory.lowers.flatMap((layer) => listLayer(layer, pathIn(directory, '.'))));
        return [...names].sort().flatMap((name) => {
          const found = findLower(directory.lowers, pathIn(directory, name));
          return found === undefined ? [] : [[name, treeFile(found)] as const];
        });
      }),
    open: (file) => {
      // A fifo that has come in the place of a file must not make us wait.
      const flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
      const resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
      // Somebody else may be changing what is looked at, such as the directory of a build.
      return linux.hasOpenat2()
        ? linux.openat2(descriptor(file), file.path, { flags, resolve })
        : linux.openat(descriptor(file), file.path, { flags });
    },
    attributes: (file) => {
      const place = procPath(descriptor(file), file.path);
      const names = attributeNames(place).filter((name) => !isOverlayAttribute(name));
      return new Map(
        names.flatMap((name) => {
          const value = linux.lgetxattr(place, name);
          return value === undefined ? [] : [[name, value] as const];
        }),
      );
    },
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/** Links and nodes have no notes: they are root's. */
function notedOwner({ layer, path, status }: LowerFile): RecordedOwner {
  const mayHave = isDirectory(status) || (status.mode & S_IFMT) === S_IFREG;
  return (mayHave ? readRecordedOwner(procPath(layer, path)) : undefined) ?? { uid: 0, gid: 0 };
}

function isLink({ mode }: linux.FileStatus): boolean {
  return (mode & S_IFMT) === S_IFLNK;
}

function invalid(path: string, why: string): BundleError {
  return new BundleError('ERR_OCI_LAYER_INVALID', `path ${JSON.stringify(path)} ${why}`, { path });
}

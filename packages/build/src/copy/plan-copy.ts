import { posix } from 'node:path';
import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { BuildError } from '../errors.ts';
import { type CopyRoot, isDirectoryFile, type SelectedSource } from './select-files.ts';

/** What goes to one path of the new layer. */
export interface PlannedFile {
  /** Relative to the root, without links in it. */
  readonly path: string;
  /** The file that is copied, and what it is read from; undefined for a directory that only leads to others. */
  readonly from?: { readonly root: CopyRoot; readonly file: TreeFile };
  /** The content of a file that stands in the Dockerfile, or came from elsewhere. */
  readonly content?: Uint8Array;
}

export interface CopyDestination {
  /** Absolute; a slash at the end says that it is a directory. */
  readonly path: string;
  /** What the destination is looked up in; without one (`--link`) nothing is there yet and no link is followed. */
  readonly tree?: LayeredTree | undefined;
}

/** A file whose content stands in the Dockerfile. */
export interface ContentFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * Where each file goes, as BuildKit decides: a single file takes the destination's name, unless that ends with a slash or is a
 * directory; of a directory the content is copied; several sources need a directory.
 *
 * @throws BuildError `ERR_OCI_BUILD_COPY_CONFLICT` for several sources and a destination that is no directory, and for a file in
 * the place of a directory or the other way round.
 */
export function planCopy(
  sources: readonly SelectedSource[],
  inline: readonly ContentFile[],
  destination: CopyDestination,
): readonly PlannedFile[] {
  const { tree } = destination;
  const target = follow(tree, destination.path);
  const asDirectory = destination.path.endsWith('/') || destination.path.endsWith('/.') || target.isDirectory;
  const isSingle = sources.length + inline.length === 1;
  if (!isSingle && !asDirectory)
    throw new BuildError(
      'ERR_OCI_BUILD_COPY_CONFLICT',
      `several files cannot be copied to ${destination.path}, which is no directory`,
      { path: destination.path, hint: `write ${destination.path}/` },
    );
  const planned = new Map<string, PlannedFile>();
  const put = (place: PlannedFile): void => {
    for (const parent of missingParents(tree, place.path))
      if (!planned.has(parent)) planned.set(parent, { path: parent });
    planned.set(place.path, place);
  };
  for (const { name, content } of inline)
    put({ path: asDirectory ? join(target.path, name) : target.path, content });
  for (const { root, files, isDirectory, name, path: kept, parents } of sources) {
    const base = kept === '' ? target.path : join(target.path, kept);
    const start = kept !== '' || isDirectory ? base : asDirectory ? join(base, name) : base;
    for (const { file, relative } of parents) {
      const place = follow(tree, `/${join(target.path, relative)}`);
      if (!place.exists) put({ path: place.path, from: { root, file } });
    }
    for (const { file, relative } of files) {
      const path = relative === '' ? start : join(start, relative);
      const place = follow(tree, `/${path}`);
      checkKinds(file, place, relative !== '' || isDirectory);
      // Of a directory the content is copied: the destination is as it was, or as any directory that is missing.
      if (relative === '' && isDirectory && (place.isDirectory || kept === '')) {
        if (!place.exists) put({ path: place.path });
        continue;
      }
      put({
        path: isDirectoryFile(file) && place.isDirectory ? place.path : parentFollowed(tree, path),
        from: { root, file },
      });
    }
  }
  return [...planned.values()].filter(({ path }) => path !== '.');
}

/** Where a path leads, relative to the root; links are followed when there is a tree to find them in. */
export function realPath(path: string, tree: LayeredTree | undefined): string {
  return follow(tree, path).path;
}

/** The directories to make so that `path` is one: those that are missing, the outer ones first. */
export function planDirectory(path: string, tree: LayeredTree | undefined): readonly PlannedFile[] {
  const place = follow(tree, path);
  return [...missingParents(tree, place.path), ...(place.exists ? [] : [place.path])].map((missing) => ({
    path: missing,
  }));
}

interface Place {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
}

function follow(tree: LayeredTree | undefined, path: string): Place {
  if (tree === undefined) return { path: clean(path), exists: false, isDirectory: clean(path) === '.' };
  const { path: real, file } = tree.resolve(path, { followLast: true });
  return { path: real, exists: file !== undefined, isDirectory: file !== undefined && isDirectoryFile(file) };
}

/** The path with the links in its directories followed; its last component is replaced, not followed. */
function parentFollowed(tree: LayeredTree | undefined, path: string): string {
  return tree === undefined ? clean(path) : tree.resolve(path, { followLast: false }).path;
}

function checkKinds(file: TreeFile, place: Place, isNested: boolean): void {
  if (!place.exists || place.isDirectory === isDirectoryFile(file)) return;
  if (!isNested && !place.isDirectory) return;
  throw new BuildError(
    'ERR_OCI_BUILD_COPY_CONFLICT',
    place.isDirectory
      ? `the file ${file.path} cannot take the place of the directory /${place.path}`
      : `the directory ${file.path} cannot take the place of the file /${place.path}`,
    { path: `/${place.path}` },
  );
}

function missingParents(tree: LayeredTree | undefined, path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  const parents = names.map((_, index) => names.slice(0, index + 1).join('/'));
  return parents.filter(
    (parent) => tree === undefined || tree.resolve(parent, { followLast: true }).file === undefined,
  );
}

function join(parent: string, name: string): string {
  return parent === '.' ? clean(name) : clean(`${parent}/${name}`);
}

function clean(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, '') || '.';
}

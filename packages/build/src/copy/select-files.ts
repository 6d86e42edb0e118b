import { basename, posix } from 'node:path';
import type { LayeredTree, TreeFile } from '@ocijs/bundle';
import { BuildError } from '../errors.ts';
import { createIgnoreRules, type IgnoreRules } from '../ignore/ignore.ts';
import { compilePattern } from '../ignore/pattern.ts';

/** What `COPY` and `ADD` take files from: a context with its ignore rules, another stage, an image. */
export interface CopyRoot {
  readonly tree: LayeredTree;
  /** What is ignored takes no part; only contexts have this. */
  readonly ignore?: IgnoreRules | undefined;
  /** What the root is called in messages, such as `the build context`. */
  readonly label: string;
}

/** A file that was named by a source, or lies below a directory that was. */
export interface SelectedFile {
  readonly file: TreeFile;
  /** Where it goes below the place that its source goes to; empty for the source itself. */
  readonly relative: string;
}

/** One match of a source. */
export interface SelectedSource {
  readonly root: CopyRoot;
  /** The name that it gets in a directory. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** The match itself first, then, for a directory, all that is in it, each directory before its content. */
  readonly files: readonly SelectedFile[];
  /** Where the match is in its root, for `--parents`. */
  readonly path: string;
  /** The directories of that path, the outer ones first. */
  readonly parents: readonly SelectedFile[];
}

export interface SelectOptions {
  /** `--exclude`, relative to the root. */
  readonly exclude: readonly string[];
  /** The path keeps its directories, from the `./` in its middle on (`--parents`). */
  readonly parents: boolean;
}

/**
 * Finds what a source means: a path, in which links are followed but never out of the root, or a pattern with several matches.
 *
 * @throws BuildError `ERR_OCI_BUILD_SOURCE_NOT_FOUND` when nothing is there, and says when it is because of the ignore file.
 */
export function selectFiles(
  root: CopyRoot,
  source: string,
  options: SelectOptions,
): readonly SelectedSource[] {
  const path = cleanSource(source);
  const exclude = createIgnoreRules(options.exclude);
  const paths = /[*?[\\]/.test(path) ? matchPattern(root, path) : [path];
  const selected = paths.flatMap((match) => {
    if (root.ignore?.ignores(match) && !root.ignore.hasExceptions) return [];
    const { file } = root.tree.resolve(match, { followLast: true });
    if (file === undefined) return [];
    const files = [...walk(root, file, { relative: '', at: match, exclude })];
    const isDirectory = isDirectoryFile(file);
    const isGone = exclude.ignores(match) || (root.ignore?.ignores(match) ?? false);
    if (isGone && files.length <= 1) return [];
    const kept = keptParents(source, match, options);
    const parents = parentsOf(root, match, kept);
    return [{ root, name: basename(match), isDirectory, files, path: kept, parents }];
  });
  if (selected.length === 0) throw notFound(root, source, path);
  return selected;
}

/** True for directories. */
export function isDirectoryFile({ status }: Pick<TreeFile, 'status'>): boolean {
  return (status.mode & 0o170000) === 0o040000;
}

/** Relative to the root, which is `.`; more `..` than there are parents lead to the root. */
function cleanSource(source: string): string {
  return posix.normalize(`/${source}`).replace(/^\/+|\/+$/g, '') || '.';
}

function keptParents(source: string, match: string, { parents }: SelectOptions): string {
  if (!parents) return '';
  const pivot = source.indexOf('/./');
  if (pivot < 0) return match;
  const before = cleanSource(source.slice(0, pivot)).split('/').length;
  return match.split('/').slice(before).join('/');
}

/** The directories above a match whose names are kept. */
function parentsOf({ tree }: CopyRoot, match: string, kept: string): readonly SelectedFile[] {
  const names = kept.split('/').slice(0, -1);
  const before = match.slice(0, match.length - kept.length);
  return names.flatMap((_, index) => {
    const relative = names.slice(0, index + 1).join('/');
    const { file } = tree.resolve(`${before}${relative}`, { followLast: true });
    return file === undefined ? [] : [{ file, relative }];
  });
}

function* walk(
  root: CopyRoot,
  file: TreeFile,
  place: { readonly relative: string; readonly at: string; readonly exclude: IgnoreRules },
): Generator<SelectedFile> {
  const { relative, at, exclude } = place;
  const isExcluded = at !== '.' && (exclude.ignores(at) || (root.ignore?.ignores(at) ?? false));
  const mayHoldMore = exclude.hasExceptions || (root.ignore?.hasExceptions ?? false);
  if (isExcluded && relative !== '' && !(mayHoldMore && isDirectoryFile(file))) return;
  const inside: SelectedFile[] = [];
  if (isDirectoryFile(file) && (!isExcluded || mayHoldMore || relative === ''))
    for (const [name, child] of root.tree.children(file))
      inside.push(
        ...walk(root, child, {
          exclude,
          relative: relative === '' ? name : `${relative}/${name}`,
          at: at === '.' ? name : `${at}/${name}`,
        }),
      );
  // A directory that is ignored comes along when something in it is not.
  if (!isExcluded || inside.length > 0 || relative === '') yield { file, relative };
  yield* inside;
}

/** The paths that match a pattern; `*` and `?` never match a slash. */
function matchPattern({ tree }: CopyRoot, pattern: string): readonly string[] {
  const names = pattern.split('/');
  let found = [''];
  for (const name of names) {
    const matches = compilePattern(name);
    found = found.flatMap((parent) => {
      if (!/[*?[\\]/.test(name)) return [parent === '' ? name : `${parent}/${name}`];
      const { file } = tree.resolve(parent === '' ? '.' : parent, { followLast: true });
      if (file === undefined || !isDirectoryFile(file)) return [];
      return tree
        .children(file)
        .filter(([child]) => matches(child))
        .map(([child]) => (parent === '' ? child : `${parent}/${child}`));
    });
  }
  return found;
}

function notFound(root: CopyRoot, source: string, path: string): BuildError {
  const ignored = root.ignore?.ignores(path) ?? false;
  return new BuildError('ERR_OCI_BUILD_SOURCE_NOT_FOUND', `${source} is not in ${root.label}`, {
    path: source,
    hint: ignored
      ? 'the ignore file excludes it'
      : 'paths are relative to the root of the context, and cannot leave it',
  });
}

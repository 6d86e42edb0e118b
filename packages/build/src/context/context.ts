import { realpath } from 'node:fs/promises';
import { type LayeredTree, openLayeredTree } from '@ocijs/bundle';
import { BuildError } from '../errors.ts';
import { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from '../ignore/ignore.ts';
import { MAX_IGNORE_FILE_BYTES } from '../limits.ts';
import type { BuildSource } from '../sources/source-record.ts';
import { readTextFile } from './read-text-file.ts';
import { readTreeFile } from './read-tree-file.ts';

/** The files that a build may see. Disposing closes it. */
export interface BuildContext extends Disposable {
  /** What it is called in messages. */
  readonly label: string;
  readonly tree: LayeredTree;
  readonly ignore: IgnoreRules;
  /** Where it is from, if it is not of this host. */
  readonly source?: BuildSource | undefined;
}

export interface OpenContextOptions {
  /**
   * The path of the Dockerfile: `NAME.dockerignore` beside it goes before `.dockerignore` of the context. Of this host, unless
   * `dockerfileInside` says that it is in the context.
   */
  readonly dockerfile?: string | undefined;
  readonly dockerfileInside?: boolean | undefined;
  readonly label?: string | undefined;
  readonly source?: BuildSource | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a directory as a context. No link leads out of it.
 *
 * @throws BuildError `ERR_OCI_BUILD_CONTEXT_INVALID` when it is no directory, `ERR_OCI_IGNORE_PATTERN_INVALID`.
 */
export async function openContext(
  directory: string,
  options: OpenContextOptions = {},
): Promise<BuildContext> {
  options.signal?.throwIfAborted();
  const place = await realpath(directory).catch((cause: unknown) => {
    throw invalid(directory, 'does not exist', cause);
  });
  const tree = openTree(place, directory);
  try {
    const text = (await ownIgnoreFile(tree, options)) ?? readIgnoreFile(tree, '.dockerignore') ?? '';
    return {
      label: options.label ?? 'the build context',
      tree,
      ignore: createIgnoreRules(parseIgnoreFile(text)),
      source: options.source,
      [Symbol.dispose]: () => tree[Symbol.dispose](),
    };
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
}

function openTree(place: string, directory: string): LayeredTree {
  try {
    return openLayeredTree([place], 'trusted');
  } catch (error) {
    throw invalid(directory, 'cannot be opened', error);
  }
}

async function ownIgnoreFile(
  tree: LayeredTree,
  { dockerfile, dockerfileInside = false }: OpenContextOptions,
): Promise<string | undefined> {
  if (dockerfile === undefined) return undefined;
  const path = `${dockerfile}.dockerignore`;
  return dockerfileInside ? readIgnoreFile(tree, path) : readTextFile(path, MAX_IGNORE_FILE_BYTES);
}

function readIgnoreFile(tree: LayeredTree, path: string): string | undefined {
  return readTreeFile(tree, path, { limit: MAX_IGNORE_FILE_BYTES })?.toString('utf8');
}

function invalid(directory: string, why: string, cause: unknown): BuildError {
  return new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `the build context ${directory} ${why}`, {
    path: directory,
    cause,
    hint: 'give the directory that COPY takes its files from',
  });
}

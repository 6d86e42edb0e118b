import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type LayeredTree, openLayeredTree } from '@ocijs/bundle';
import { BuildError } from '../errors.ts';
import { createIgnoreRules, type IgnoreRules, parseIgnoreFile } from '../ignore/ignore.ts';
import { MAX_IGNORE_FILE_BYTES } from '../limits.ts';

/** The files that a build may see. Disposing closes it. */
export interface BuildContext extends Disposable {
  /** What it is called in messages. */
  readonly label: string;
  readonly tree: LayeredTree;
  readonly ignore: IgnoreRules;
}

export interface OpenContextOptions {
  /** The path of the Dockerfile: `NAME.dockerignore` beside it goes before `.dockerignore` of the context. */
  readonly dockerfile?: string | undefined;
  readonly label?: string | undefined;
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
  const own =
    options.dockerfile === undefined ? undefined : await readIgnoreFile(`${options.dockerfile}.dockerignore`);
  const text = own ?? (await readIgnoreFile(join(place, '.dockerignore'))) ?? '';
  const ignore = createIgnoreRules(parseIgnoreFile(text));
  try {
    const tree = openLayeredTree([place], 'trusted');
    return {
      label: options.label ?? 'the build context',
      tree,
      ignore,
      [Symbol.dispose]: () => tree[Symbol.dispose](),
    };
  } catch (error) {
    throw invalid(directory, 'cannot be opened', error);
  }
}

function invalid(directory: string, why: string, cause: unknown): BuildError {
  return new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `the build context ${directory} ${why}`, {
    path: directory,
    cause,
    hint: 'give the directory that COPY takes its files from',
  });
}

async function readIgnoreFile(path: string): Promise<string | undefined> {
  await using file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  const { size } = await file.stat();
  if (size > MAX_IGNORE_FILE_BYTES)
    throw new BuildError(
      'ERR_OCI_BUILD_CONTEXT_INVALID',
      `${path} is larger than ${MAX_IGNORE_FILE_BYTES} bytes`,
      {
        path,
        limit: MAX_IGNORE_FILE_BYTES,
      },
    );
  return file.readFile('utf8');
}

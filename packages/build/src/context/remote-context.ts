import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openLayeredTree } from '@ocijs/bundle';
import type { Store } from '@ocijs/image';
import { isArchive } from '../add/archive.ts';
import type { Secrets } from '../add/credentials.ts';
import { checkoutGit } from '../add/git-checkout.ts';
import { fetchRemoteFile, isRemoteFile } from '../add/remote-file.ts';
import { selectFiles } from '../copy/select-files.ts';
import { BuildError } from '../errors.ts';
import { openScratch } from '../executor/scratch.ts';
import { type GitReference, parseGitReference } from '../git/git-reference.ts';
import { MAX_DOCKERFILE_BYTES } from '../limits.ts';
import type { BuildSource } from '../sources/source-record.ts';
import { type BuildContext, openContext } from './context.ts';
import { extractArchive } from './extract-archive.ts';
import { readTextFile } from './read-text-file.ts';
import { readTreeFile } from './read-tree-file.ts';

/** A context that was fetched. Disposing removes it. */
export interface RemoteContext extends AsyncDisposable {
  readonly context: BuildContext;
  /** What was fetched is no archive but a Dockerfile: its text. The context is empty then. */
  readonly dockerfile?: string;
}

export interface RemoteContextOptions {
  /** The files are put there, and removed in the end, also after a build that was killed. */
  readonly store: Store;
  /** Where the Dockerfile is in the context: an ignore file beside it goes before that of the context. */
  readonly dockerfile?: string | undefined;
  readonly label?: string | undefined;
  /** What `-` stands for. */
  readonly input?: AsyncIterable<Uint8Array> | undefined;
  readonly secrets?: Secrets | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches a context: a git repository (`https://host/x.git#ref:directory`), an archive or a Dockerfile from HTTP, or either from
 * `input` (`-`). `undefined` for what is none of these, as a directory of this host.
 *
 * @throws BuildError `ERR_OCI_BUILD_DOWNLOAD_FAILED`, `ERR_OCI_BUILD_CONTEXT_INVALID`, `ERR_OCI_BUILD_ARCHIVE_INVALID`.
 */
export async function openRemoteContext(
  location: string,
  options: RemoteContextOptions,
): Promise<RemoteContext | undefined> {
  const git = parseGitReference(location);
  const isGit = git !== undefined && !(git.mayBeLocal && existsSync(location));
  if (!isGit && !isRemoteFile(location) && location !== '-') return undefined;
  await using resources = new AsyncDisposableStack();
  const scratch = resources.use(await openScratch(options.store));
  const opened = isGit
    ? await fromGit(git, location, { ...options, directory: scratch.directory })
    : await fromFile(location, { ...options, directory: scratch.directory });
  resources.use(opened.context);
  const kept = resources.move();
  return { ...opened, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

type Fetch = RemoteContextOptions & { readonly directory: string };
type Fetched = Omit<RemoteContext, keyof AsyncDisposable>;

async function fromGit(git: GitReference, location: string, options: Fetch): Promise<Fetched> {
  const directory = join(options.directory, 'context');
  await mkdir(directory);
  const { secrets, signal } = options;
  const commit = await checkoutGit(git, { directory, keepGitDirectory: false, secrets, signal });
  const inside = subdirectory(directory, git);
  return {
    context: await open(inside, options, { type: 'git', name: location, digest: commit }),
  };
}

/** The directory that is meant; a link in the repository cannot lead out of it. */
function subdirectory(directory: string, { subdirectory: path = '.', shortName }: GitReference): string {
  using tree = openLayeredTree([directory], 'trusted');
  const { file } = tree.resolve(path, { followLast: true });
  const [place] = file === undefined ? [] : tree.places(file);
  if (file !== undefined && place !== undefined && (file.status.mode & 0o170000) === 0o040000) return place;
  throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `${path} is no directory of ${shortName}`, {
    path,
    hint: 'what follows the colon of #ref:directory is relative to the root of the repository',
  });
}

/** Called so that its name says nothing. */
const downloaded = 'download';

async function fromFile(location: string, options: Fetch): Promise<Fetched> {
  const source = await fetchFile(location, options);
  const directory = join(options.directory, 'context');
  await mkdir(directory, { mode: 0o755 });
  if (await isArchiveFile(options.directory)) {
    const { signal } = options;
    await extractArchive(createReadStream(join(options.directory, downloaded)), { directory, signal });
    return { context: await open(directory, options, source) };
  }
  const dockerfile = await readTextFile(join(options.directory, downloaded), MAX_DOCKERFILE_BYTES);
  return { context: await open(directory, options, source), dockerfile: dockerfile ?? '' };
}

async function fetchFile(
  location: string,
  { directory, input, secrets, signal }: Fetch,
): Promise<BuildSource | undefined> {
  if (location !== '-') {
    const { digest } = await fetchRemoteFile(location, { directory, name: downloaded, secrets, signal });
    return { type: 'http', name: location, digest };
  }
  if (input === undefined) throw new TypeError('a context from standard input needs an input');
  await pipeline(
    input,
    createWriteStream(join(directory, downloaded), { flags: 'wx', mode: 0o600 }),
    signal === undefined ? {} : { signal },
  );
  return undefined;
}

async function isArchiveFile(directory: string): Promise<boolean> {
  using tree = openLayeredTree([directory], 'trusted');
  const root = { tree, label: 'the build context' };
  const [file] = selectFiles(root, downloaded, { exclude: [], parents: false });
  return file !== undefined && (await isArchive(file));
}

function open(
  directory: string,
  { dockerfile, label, signal }: Fetch,
  source: BuildSource | undefined,
): Promise<BuildContext> {
  return openContext(directory, { dockerfile, dockerfileInside: true, label, source, signal });
}

/**
 * The text of a Dockerfile that is in a context: the one that is named, or `Dockerfile`, or `Containerfile`.
 *
 * @throws BuildError `ERR_OCI_BUILD_CONTEXT_INVALID` when there is none.
 */
export function readContextDockerfile({ tree, label }: BuildContext, name?: string): string {
  const names = name === undefined ? ['Dockerfile', 'Containerfile'] : [name];
  for (const candidate of names) {
    const text = readTreeFile(tree, candidate, { limit: MAX_DOCKERFILE_BYTES });
    if (text !== undefined) return text.toString('utf8');
  }
  throw new BuildError('ERR_OCI_BUILD_CONTEXT_INVALID', `there is no ${names.join(' and no ')} in ${label}`, {
    hint: 'name the Dockerfile with --file, relative to the root of the context',
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gitEnvironment } from '../env.ts';
import { BuildError } from '../errors.ts';
import type { GitReference } from '../git/git-reference.ts';
import { withoutCredentials } from '../without-credentials.ts';
import { gitAuthorizationFor, type Secrets } from './credentials.ts';

export interface GitCheckoutOptions {
  /** An empty directory. */
  readonly directory: string;
  /** Keep `.git`. */
  readonly keepGitDirectory: boolean;
  readonly checksum?: string | undefined;
  /** `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER` among them are for the server. */
  readonly secrets?: Secrets | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Nothing but these may be asked to fetch: `ext::` and local paths would run programs, or read files of this host. */
const protocols = 'git:https:http:ssh';

/** What a repository must not decide: programs to run, other transports, links where a file system has none. */
const settings: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'protocol.allow=never',
  ...protocols.split(':').map((name) => `protocol.${name}.allow=always`),
].flatMap((setting) => ['-c', setting]);

/**
 * Checks a git repository out with the host's `git`: the commit alone, submodules included, and returns the commit.
 *
 * @throws BuildError `ERR_OCI_BUILD_DOWNLOAD_FAILED`, `ERR_OCI_BUILD_CHECKSUM_MISMATCH`
 */
export async function checkoutGit(reference: GitReference, options: GitCheckoutOptions): Promise<string> {
  const { directory, signal, secrets } = options;
  const remote = reference.mayBeLocal ? `https://${reference.remote}` : reference.remote;
  const run: GitRun = {
    directory,
    signal,
    label: reference.shortName,
    extra: authorization(remote, secrets),
  };
  const git = (...args: readonly string[]): Promise<string> => runGit(args, run);
  await git('init', '--quiet');
  const fetched = await fetchReference(git, remote, reference.ref);
  await git('checkout', '--quiet', '--force', '--detach', fetched);
  const commit = (await git('rev-parse', 'HEAD')).trim();
  const checksum = options.checksum ?? reference.checksum;
  if (checksum !== undefined && !commit.startsWith(checksum.toLowerCase()))
    throw new BuildError(
      'ERR_OCI_BUILD_CHECKSUM_MISMATCH',
      `${reference.shortName} is at another commit than asked for`,
      {
        expected: checksum,
        actual: commit,
      },
    );
  if (reference.submodules) await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1');
  if (!(reference.keepGitDirectory ?? options.keepGitDirectory))
    await rm(join(directory, '.git'), { recursive: true, force: true });
  return commit;
}

/** Returns what to check out. A server may refuse to give a commit that is no branch or tag: then all branches are asked for. */
async function fetchReference(
  git: (...args: readonly string[]) => Promise<string>,
  remote: string,
  ref = 'HEAD',
): Promise<string> {
  try {
    await git('fetch', '--quiet', '--depth=1', '--no-tags', '--', remote, ref);
    return 'FETCH_HEAD';
  } catch (error) {
    if (!/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(ref)) throw error;
    await git('fetch', '--quiet', '--no-tags', '--', remote, '+refs/heads/*:refs/all/*');
    return ref;
  }
}

/** The header that only the server of the URL gets, in the environment: everybody sees the arguments of a program. */
function authorization(remote: string, secrets: Secrets | undefined): Readonly<Record<string, string>> {
  const [, origin, host] = /^(https?:\/\/(?:[^/@]*@)?([^/]+))/i.exec(remote) ?? [];
  if (origin === undefined || host === undefined) return {};
  const value = gitAuthorizationFor(host, secrets);
  if (value === undefined) return {};
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${withoutCredentials(origin)}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: ${value}`,
  };
}

interface GitRun {
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
  readonly label: string;
  readonly extra: Readonly<Record<string, string>>;
}

/** Enough for any message of git. */
const MAX_MESSAGE = 4096;

async function runGit(args: readonly string[], { directory, signal, label, extra }: GitRun): Promise<string> {
  const child = spawn('git', [...settings, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...gitEnvironment(),
      ...extra,
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: protocols,
      GIT_CONFIG_NOSYSTEM: '1',
    },
    ...(signal === undefined ? {} : { signal }),
  });
  let output = '';
  let message = '';
  child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MAX_MESSAGE)));
  child.stderr.on('data', (chunk: Buffer) => (message = (message + chunk.toString()).slice(-MAX_MESSAGE)));
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new BuildError(
      'ERR_OCI_BUILD_DOWNLOAD_FAILED',
      `${label} cannot be checked out: git cannot be started`,
      {
        cause,
        hint: 'install git',
      },
    );
  })) as [number | null];
  signal?.throwIfAborted();
  if (code === 0) return output;
  const last = withoutCredentials(message).trim().split('\n').at(-1) ?? '';
  throw new BuildError('ERR_OCI_BUILD_DOWNLOAD_FAILED', `${label} cannot be checked out: ${last}`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gitEnvironment } from '../env.ts';
import { BuildError } from '../errors.ts';
import type { GitReference } from '../git/git-reference.ts';

export interface GitCheckoutOptions {
  /** An empty directory. */
  readonly directory: string;
  /** Keep `.git`. */
  readonly keepGitDirectory: boolean;
  readonly checksum?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Nothing but these may be asked to fetch: `ext::` and local paths would run programs, or read files of this host. */
const protocols = 'git:https:http:ssh';

/**
 * Checks a git repository out with the host's `git`: the commit alone, submodules included, and returns the commit.
 *
 * @throws BuildError `ERR_OCI_BUILD_DOWNLOAD_FAILED`, `ERR_OCI_BUILD_CHECKSUM_MISMATCH`
 */
export async function checkoutGit(reference: GitReference, options: GitCheckoutOptions): Promise<string> {
  const { directory, signal } = options;
  const git = (...args: readonly string[]): Promise<string> =>
    runGit(args, { directory, signal, label: reference.shortName });
  await git('init', '--quiet');
  const remote = reference.mayBeLocal ? `https://${reference.remote}` : reference.remote;
  await git('fetch', '--quiet', '--depth=1', '--no-tags', '--', remote, reference.ref ?? 'HEAD');
  await git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD');
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
  await git('submodule', 'update', '--quiet', '--init', '--recursive', '--depth=1');
  if (!options.keepGitDirectory) await rm(join(directory, '.git'), { recursive: true, force: true });
  return commit;
}

/** Enough for any message of git. */
const MAX_MESSAGE = 4096;

async function runGit(
  args: readonly string[],
  {
    directory,
    signal,
    label,
  }: { readonly directory: string; readonly signal: AbortSignal | undefined; readonly label: string },
): Promise<string> {
  const child = spawn('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.file.allow=never', ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...gitEnvironment(),
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
  throw new BuildError(
    'ERR_OCI_BUILD_DOWNLOAD_FAILED',
    `${label} cannot be checked out: ${message.trim().split('\n').at(-1) ?? ''}`,
  );
}

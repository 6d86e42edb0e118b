import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { RuntimeError } from '../errors.ts';
import type { ExitStatus } from '../lifecycle/exit.ts';
import { randomContainerId } from '../state/id.ts';
import type { StdioChoice } from '../streams.ts';

/** Options of {@link runWith}. */
export interface RunWithOptions {
  /** A random one by default. */
  readonly id?: string;
  /** Flags that stand before the command, such as `--root DIR`. */
  readonly flags?: readonly string[];
  /** Where the standard streams go; inherited by default. With a terminal the runtime takes it over. */
  readonly stdio?: Exclude<StdioChoice, 'pipe'>;
  readonly signal?: AbortSignal;
  /** Told how to reach the runtime's process, which passes signals on to the container. */
  readonly onStarted?: (kill: (signal: NodeJS.Signals) => void) => void;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function ended(child: ChildProcess, engine: string): Promise<Ended> {
  return new Promise((done, reject) => {
    child.once('exit', (code, signal) => done({ code, signal }));
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'ENOENT' ? 'is not installed' : `cannot be executed: ${cause.code}`;
      reject(
        new RuntimeError('ERR_OCI_ENGINE_MISSING', `the runtime ${engine} ${reason}`, {
          path: engine,
          cause,
          hint: 'Name a program of $PATH, or give its path.',
        }),
      );
    });
  });
}

/** Removes what a runtime left that was killed itself; one that has tidied up finds nothing. */
async function removeForced(engine: string, flags: readonly string[], id: string): Promise<void> {
  await ended(spawn(engine, [...flags, 'delete', '--force', id], { stdio: 'ignore' }), engine);
}

/**
 * Runs a bundle with another runtime, by the command line that runtimes share with runc: a program of `$PATH`, or a path. It is
 * a child of this process until its container has ended, and is deleted then. Aborting `signal` kills it. Throws
 * ERR_OCI_ENGINE_MISSING, and ERR_OCI_ENGINE_FAILED when it started no container: what it says is on standard error.
 */
export async function runWith(
  runtime: string,
  bundle: string,
  options: RunWithOptions = {},
): Promise<ExitStatus> {
  const { id = randomContainerId(), flags = [], stdio = 'inherit', signal } = options;
  signal?.throwIfAborted();
  const engine = runtime.includes('/') ? resolve(runtime) : runtime;
  const directory = mkdtempSync(join(tmpdir(), 'oci-engine-'));
  const pidFile = join(directory, 'pid');
  try {
    const args = [...flags, 'run', '--bundle', resolve(bundle), '--pid-file', pidFile, id];
    const child = spawn(engine, args, { stdio: typeof stdio === 'string' ? stdio : [...stdio] });
    const end = ended(child, engine);
    const onAbort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort, { once: true });
    options.onStarted?.((name) => void child.kill(name));
    try {
      const result = await end;
      signal?.throwIfAborted();
      return statusOf(result, { engine, isStarted: existsSync(pidFile) });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (child.pid !== undefined) await removeForced(engine, flags, id);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function statusOf(
  { code, signal }: Ended,
  { engine, isStarted }: { readonly engine: string; readonly isStarted: boolean },
): ExitStatus {
  if (signal !== null) return { exitCode: 128 + constants.signals[signal], signal };
  if (isStarted || code === 0) return { exitCode: code ?? 0 };
  throw new RuntimeError('ERR_OCI_ENGINE_FAILED', `${engine} could not start the container`, {
    actual: code ?? 0,
    hint: 'What it says stands above.',
  });
}

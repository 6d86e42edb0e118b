import { spawn } from 'node:child_process';
import { RuntimeError } from '../errors.ts';
import { networkAnswerLimit, networkHelperTimeout } from '../limits.ts';
import { helperPath } from './programs.ts';

/** How to run a helper. */
export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Variables besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** When all is well it goes on in the background, with the streams of its first process; its answer is then not waited for. */
  readonly staysInBackground?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a helper answered. */
export interface ProgramAnswer {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a helper until it has ended and all that it wrote is read. It has an environment of its own.
 * Throws ERR_OCI_NETWORK_FAILED when it cannot be started.
 */
export async function runProgram(path: string, options: ProgramOptions = {}): Promise<ProgramAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn(path, options.args ?? [], {
    cwd: '/',
    env: { PATH: helperPath(), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: networkHelperTimeout,
    killSignal: 'SIGKILL',
    ...(options.signal && { signal: options.signal }),
  });
  const output = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= networkAnswerLimit) chunks.push(chunk);
    });
    return chunks;
  });
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
  });
  child.stdin.end(options.input ?? '');
  child.once('error', (cause) => {
    if (options.signal?.aborted) reject(options.signal.reason);
    else
      reject(
        new RuntimeError('ERR_OCI_NETWORK_FAILED', `${path} cannot be run: ${cause.message}`, {
          path,
          cause,
        }),
      );
  });
  // What keeps the streams open never gives a "close".
  if (options.staysInBackground) child.once('exit', (code) => code === 0 && resolve(code));
  child.once('close', (code) => resolve(code));
  const code = await promise;
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  const [stdout = '', stderr = ''] = output.map((chunks) => Buffer.concat(chunks).toString('utf8').trim());
  return { code, stdout, stderr };
}

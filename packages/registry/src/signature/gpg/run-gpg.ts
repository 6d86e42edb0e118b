import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { limits, timeouts } from '../../limits.ts';
import { printable } from '../../transport/redact.ts';
import { signatureError } from '../failure.ts';
import { parseStatus, type StatusLine } from './status.ts';

/** How gpg is called. */
export interface GpgCall {
  /** Its home directory; nothing of the user's is read. */
  readonly home: string;
  /** Where programs are looked for. */
  readonly searchPath: string | undefined;
  readonly command: readonly string[];
  readonly input: Uint8Array;
  /** Bytes of output that are taken. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Default 30 s. */
  readonly timeoutMs?: number | undefined;
}

/** What a finished gpg left behind. */
export interface GpgRun {
  readonly code: number;
  readonly status: readonly StatusLine[];
  readonly output: Uint8Array;
  /** What it said to people, for messages. */
  readonly complaint: string;
}

/**
 * No configuration, agent, key server or trust database; keys count because the caller imported them. What gpg says to
 * programs comes by a file descriptor of its own, where what it says to people cannot pass for it.
 */
const constantOptions = [
  '--batch',
  '--no-tty',
  '--no-options',
  '--no-autostart',
  '--disable-dirmngr',
  '--no-auto-key-retrieve',
  '--no-auto-key-locate',
  '--no-auto-check-trustdb',
  '--trust-model=always',
  '--status-fd=3',
];

/**
 * Runs gpg once, without a shell. It has ended when this settles. Throws ERR_OCI_SIGNATURE_GPG when it is missing, is
 * ended by a signal or takes too long, ERR_OCI_SIGNATURE_INVALID when it writes more than the limit, `signal.reason`.
 */
export async function runGpg(call: GpgCall): Promise<GpgRun> {
  const { home, searchPath, command, input, limit, signal, timeoutMs = timeouts.gpg } = call;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn('gpg', [`--homedir=${home}`, ...constantOptions, ...command], {
      env: { LC_ALL: 'C', ...(searchPath === undefined ? {} : { PATH: searchPath }) },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let failure: { readonly error: unknown } | undefined;
    const stop = (error: unknown): void => {
      failure ??= { error };
      child.kill('SIGKILL');
    };
    const tooLong = gpgFailure(`did not end within ${timeoutMs} ms`);
    const timer = setTimeout(() => stop(tooLong), timeoutMs);
    const onAbort = (): void => stop(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const output = collect(child.stdout, { limit, onExcess: () => stop(tooMuch(limit)) });
    const status = collect(child.stdio[3] as Readable, {
      limit: limits.gpgStatusBytes,
      onExcess: () => stop(tooMuch(limits.gpgStatusBytes)),
    });
    const complaint = collect(child.stderr, { limit: limits.gpgComplaintBytes, onExcess: () => undefined });
    // It may decide before it read all of its input.
    child.stdin.on('error', () => child.stdin.destroy());
    child.once('error', (cause) => {
      failure ??= { error: startFailure(cause) };
    });
    child.once('close', (code, killedBy) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (failure !== undefined) reject(failure.error);
      else if (code === null) reject(gpgFailure(`was ended by ${killedBy}`));
      else {
        const text = complaint().toString('utf8');
        resolve({ code, output: output(), status: parseStatus(status().toString('utf8')), complaint: text });
      }
    });
    child.stdin.end(input);
  });
}

/** Takes what a stream brings; what is beyond the limit is read, so that the writer goes on, and dropped. */
function collect(
  stream: Readable,
  { limit, onExcess }: { readonly limit: number; readonly onExcess: () => void },
): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) onExcess();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks);
}

function tooMuch(limit: number): Error {
  return signatureError('ERR_OCI_SIGNATURE_INVALID', `gpg makes more than ${limit} bytes of it`, { limit });
}

function startFailure(cause: Error): Error {
  const { code } = cause as NodeJS.ErrnoException;
  return gpgFailure(code === 'ENOENT' ? 'is not installed' : `cannot be started (${code})`, { cause });
}

/** An error that is gpg's, and says nothing of a signature. */
export function gpgFailure(reason: string, { cause }: { readonly cause?: unknown } = {}): Error {
  const errno = (cause as { code?: unknown } | undefined)?.code;
  return signatureError('ERR_OCI_SIGNATURE_GPG', `gpg, which checks GPG signatures, ${printable(reason)}`, {
    cause,
    ...(typeof errno === 'string' ? { errno } : {}),
    hint: 'install GnuPG (the package gnupg or gnupg2), so that gpg is in PATH',
  });
}

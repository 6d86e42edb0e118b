import { spawn } from 'node:child_process';
import type { Environment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { limits, timeouts } from '../limits.ts';
import { printable } from '../transport/redact.ts';

/** How a helper is called. */
export interface HelperOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  /** Default 30 s: helpers of cloud services go over the network. */
  readonly timeoutMs?: number;
}

/** What a finished helper left behind. */
export interface HelperRun {
  readonly code: number | null;
  readonly output: string;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Runs `docker-credential-NAME ACTION` with `input` on its standard input: secrets are never arguments, which
 * everybody on the machine can read. Throws ERR_OCI_REGISTRY_CREDENTIAL_HELPER when the helper is missing or
 * takes too long.
 */
export async function runHelper(
  name: string,
  options: HelperOptions & { readonly action: 'get' | 'store' | 'erase'; readonly input: string },
): Promise<HelperRun> {
  const { env, signal, timeoutMs = timeouts.helper, action, input } = options;
  signal?.throwIfAborted();
  // The name comes from a file and becomes a command.
  if (!nameForm.test(name)) throw helperFailure(printable(name), 'is not a valid helper name');
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, [action], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown): void => {
      reject(error);
      child.kill('SIGKILL');
    };
    const timer = setTimeout(
      () => stop(helperFailure(name, `did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const onAbort = (): void => stop(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.helperOutputBytes)
        stop(helperFailure(name, `wrote more than ${limits.helperOutputBytes} bytes`));
      else chunks.push(chunk);
    });
    // A helper that does not read its input breaks the pipe; its exit code says the rest.
    child.stdin.on('error', () => child.stdin.destroy());
    child.once('error', (error) => reject(startFailure(name, error)));
    child.once('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }));
    child.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
    child.stdin.end(input);
  });
}

function startFailure(name: string, error: unknown): RegistryError {
  const { code } = error as { code?: string };
  return helperFailure(name, code === 'ENOENT' ? 'is not installed' : `cannot be started (${code})`, {
    cause: error,
    code,
  });
}

/** An error that names the helper and never what it was told or answered. */
export function helperFailure(
  name: string,
  reason: string,
  { cause, code }: { readonly cause?: unknown; readonly code?: string | undefined } = {},
): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_CREDENTIAL_HELPER',
    `credential helper docker-credential-${name} ${reason}`,
    {
      cause,
      ...(code === undefined ? {} : { errno: code }),
      hint: 'install or repair the helper, or give credentials with --creds or --authfile',
    },
  );
}

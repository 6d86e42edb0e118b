import { spawn } from 'node:child_process';
import type { Environment } from '../env.ts';
import { RegistryError } from '../errors.ts';
import { limits, timeouts } from '../limits.ts';
import type { Credentials } from '../options.ts';
import { printable } from '../transport/redact.ts';

/** How a helper is called. */
export interface HelperOptions {
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  /** Default 30 s: helpers of cloud services go over the network. */
  readonly timeoutMs?: number;
}

/** What helpers say, on standard output and with exit code 1, when they have nothing; not a failure. */
const notFound = 'credentials not found in native keychain';
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Asks `docker-credential-NAME get` for a server's credentials; undefined when it has none.
 * Throws ERR_OCI_REGISTRY_CREDENTIAL_HELPER when the helper is missing, fails or takes too long.
 */
export async function askHelper(
  name: string,
  { server, ...options }: HelperOptions & { readonly server: string },
): Promise<Credentials | undefined> {
  options.signal?.throwIfAborted();
  // The name comes from a file and becomes a command.
  if (!nameForm.test(name)) throw failure(printable(name), 'is not a valid helper name');
  const { code, output } = await runHelper(name, { ...options, input: server });
  const text = output.trim();
  if (code === 0) return readAnswer(name, text);
  if (text.includes(notFound)) return undefined;
  // Errors are plain text on standard output; what looks like an answer is never shown.
  const said = text === '' || text.includes('{') ? '' : `: ${printable(text)}`;
  throw failure(name, `failed with exit code ${code}${said}`);
}

interface HelperRun {
  readonly code: number | null;
  readonly output: string;
}

function runHelper(name: string, options: HelperOptions & { readonly input: string }): Promise<HelperRun> {
  const { env, signal, timeoutMs = timeouts.helper, input } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, ['get'], {
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
    const timer = setTimeout(() => stop(failure(name, `did not answer within ${timeoutMs} ms`)), timeoutMs);
    const onAbort = (): void => stop(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.helperOutputBytes)
        stop(failure(name, `wrote more than ${limits.helperOutputBytes} bytes`));
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
    child.stdin.end(`${input}\n`);
  });
}

function readAnswer(name: string, text: string): Credentials | undefined {
  let answer: { readonly Username?: unknown; readonly Secret?: unknown } | null;
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    // The parser's own message would quote the answer.
    throw failure(name, 'did not answer with JSON');
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failure(name, 'answered without user and secret');
  }
  if (username === '' && secret === '') return undefined;
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

function startFailure(name: string, error: unknown): RegistryError {
  const { code } = error as { code?: string };
  return failure(name, code === 'ENOENT' ? 'is not installed' : `cannot be started (${code})`, {
    cause: error,
    code,
  });
}

function failure(
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

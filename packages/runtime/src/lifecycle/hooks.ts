import { spawn } from 'node:child_process';
import type { Hook } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { hookOutputLimit } from '../limits.ts';

/** What a hook learns on its standard input (runtime-spec `runtime.md`, "State"). */
export interface HookState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Options of {@link runHooks}. */
export interface RunHooksOptions {
  /** The name of the list in the configuration, such as `createRuntime`. */
  readonly name: string;
  readonly state: HookState;
  readonly signal?: AbortSignal | undefined;
}

function environment(variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    variables.map((variable) => {
      const end = variable.indexOf('=');
      return end === -1 ? [variable, ''] : [variable.slice(0, end), variable.slice(end + 1)];
    }),
  );
}

function failure(
  options: RunHooksOptions,
  facts: { index: number; reason: string; cause?: unknown },
): RuntimeError {
  const { index, reason, cause } = facts;
  return new RuntimeError('ERR_OCI_HOOK_FAILED', `error running ${options.name} hook #${index}: ${reason}`, {
    jsonPath: `$.hooks.${options.name}[${index}]`,
    cause,
  });
}

function runHook(hook: Hook, options: RunHooksOptions & { readonly index: number }): Promise<void> {
  const { index, state, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const [name, ...args] = hook.args ?? [];
  // A hook has the environment of its configuration alone: what is in ours is not its business.
  const child = spawn(hook.path, args, {
    argv0: name ?? hook.path,
    cwd: state.bundle,
    env: environment(hook.env ?? []),
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(hook.timeout !== undefined && { timeout: hook.timeout * 1000 }),
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  const output: Buffer[] = [];
  let kept = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (kept < hookOutputLimit) output.push(chunk.subarray(0, hookOutputLimit - kept));
      kept += chunk.length;
    });
  }
  // A hook need not read its input; its exit code says whether it was content.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
  });
  child.stdin.end(JSON.stringify(state));
  child.on('error', (cause) =>
    reject(signal?.aborted ? signal.reason : failure(options, { index, reason: cause.message, cause })),
  );
  // Not "close": a hook may leave a daemon behind that keeps its output open.
  child.on('exit', (code, killedBy) => {
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    if (code === 0) resolve();
    const text = Buffer.concat(output).toString('utf8').trim();
    const end = code === null ? `killed by ${killedBy}` : `exit status ${code}`;
    const late =
      killedBy === 'SIGKILL' && hook.timeout !== undefined ? ` (its timeout is ${hook.timeout} s)` : '';
    reject(failure(options, { index, reason: `${end}${late}${text === '' ? '' : `, output: ${text}`}` }));
  });
  return promise;
}

/**
 * Runs hooks one after another, each with the state on its standard input and within its timeout. Throws
 * ERR_OCI_HOOK_FAILED with the first one that fails.
 */
export async function runHooks(hooks: readonly Hook[] | undefined, options: RunHooksOptions): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    options.signal?.throwIfAborted();
    await runHook(hook, { ...options, index });
  }
}

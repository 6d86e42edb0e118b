import { type SpawnOptions, spawn } from 'node:child_process';

/** How a command ended and what it printed. */
export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> {
  readonly input?: string | Uint8Array;
  /** Default 120 s; then the command is killed and `signal` says so. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end and keeps its output. */
export function command(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input, timeoutMs = 120_000, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      ...spawnOptions,
      stdio: 'pipe',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));
    child.stdin.on('error', () => undefined); // a command may end without reading its input
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve({
        status,
        signal,
        stdout: Buffer.concat(output.stdout).toString(),
        stderr: Buffer.concat(output.stderr).toString(),
      }),
    );
  });
}

/** Runs a command that must succeed and returns what it printed on stdout. */
export async function output(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { status, signal, stdout, stderr } = await command(file, args, options);
  if (status !== 0)
    throw new Error(`${file} ${args.join(' ')}: ${signal ?? `exit ${status}`}\n${stderr}${stdout}`);
  return stdout;
}

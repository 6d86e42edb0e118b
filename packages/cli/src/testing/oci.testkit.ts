import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program as it is built: `tsc -b packages/cli` comes first. */
export const ociProgram = fileURLToPath(new URL('../../bin/oci.js', import.meta.url));
const isBuilt = existsSync(new URL('../../dist/main.js', import.meta.url));

/** What a finished `oci` left behind. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `oci` with a store and a state directory of its own, removed at the end. */
export interface TestHome extends AsyncDisposable {
  readonly directory: string;
  /** What `oci` is run with. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command line to its end. */
  oci(...args: readonly string[]): Promise<Outcome>;
  /** Starts a command line that goes on. */
  start(...args: readonly string[]): ReturnType<typeof spawn>;
}

/** Options of {@link testHome}. */
export interface TestHomeOptions {
  /** Words before the program: who runs it, and where. */
  readonly prefix?: readonly string[];
  /** Variables besides those of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Makes a home below the temporary directory. Containers have no network there but what a test asks for. */
export async function testHome({ prefix = [], env: given = {} }: TestHomeOptions = {}): Promise<TestHome> {
  if (!isBuilt) throw new Error('packages/cli is not built: run `tsc -b packages/cli`');
  const directory = await mkdtemp(join(tmpdir(), 'oci-cli-test-'));
  const env = {
    ...process.env,
    OCI_STORE: join(directory, 'store'),
    OCI_ROOT: join(directory, 'state'),
    OCI_NETWORK: 'none',
    NO_COLOR: '1',
    DEBUG: '',
    ...given,
  };
  const [program = '', ...first] = [...prefix, process.execPath, ociProgram];
  const start = (...args: readonly string[]): ReturnType<typeof spawn> =>
    spawn(program, [...first, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    directory,
    env,
    start,
    oci: async (...args) => {
      const child = start(...args);
      const [stdout, stderr, status] = await Promise.all([
        textOf(child.stdout),
        textOf(child.stderr),
        new Promise<number | null>((resolve) => child.once('close', resolve)),
      ]);
      return { status, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  if (stream !== null) for await (const chunk of stream) text += chunk;
  return text;
}

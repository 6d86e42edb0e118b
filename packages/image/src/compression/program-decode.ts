import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { processEnvironment } from '../env.ts';
import { ImageError } from '../errors.ts';
import { invalidCompression } from './failure.ts';
import { PROGRAM_MESSAGE_LIMIT, XZ_MEMORY_LIMIT } from './limits.ts';

/** Compressions that only the system's programs read. */
export type ProgramCompression = 'xz' | 'bzip2';

const programs: Readonly<
  Record<ProgramCompression, { readonly args: readonly string[]; readonly hint: string }>
> = {
  xz: {
    args: ['--decompress', '--stdout', '--threads=1', `--memlimit-decompress=${XZ_MEMORY_LIMIT}`],
    hint: 'install xz (Debian: xz-utils), or recompress the image with gzip or zstd',
  },
  bzip2: {
    args: ['-d', '-c', '-s'],
    hint: 'install bzip2, or recompress the image with gzip or zstd',
  },
};

/**
 * Decompresses with the system's `xz` or `bzip2`, found in PATH and never in what is being unpacked: it runs in `/`, with
 * an environment of PATH alone. The program ends with the reader, on every path. Throws
 * ERR_OCI_COMPRESSION_UNSUPPORTED when it is missing, and ERR_OCI_COMPRESSION_INVALID when it fails.
 */
export async function* decodeWithProgram(
  compression: ProgramCompression,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = await start(compression);
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  let failure: { readonly error: unknown } | undefined;
  const feeding = feed(child, source).catch((error: unknown) => {
    failure = { error };
    child.kill('SIGKILL');
  });
  const message = readMessage(child);
  try {
    yield* child.stdout;
    await feeding;
    if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
    const [code] = await ended;
    if (code !== 0)
      throw invalidCompression(compression, `is damaged: ${(await message) || `exit code ${code}`}`);
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await feeding;
    await ended.catch(() => undefined);
  }
}

async function start(compression: ProgramCompression): Promise<ChildProcessWithoutNullStreams> {
  const { args, hint } = programs[compression];
  const child = spawn(compression, args, {
    cwd: '/',
    env: { PATH: processEnvironment()['PATH'], LC_ALL: 'C' },
    stdio: 'pipe',
  });
  child.stdin.on('error', () => undefined);
  try {
    await once(child, 'spawn');
    return child;
  } catch (error) {
    throw new ImageError(
      'ERR_OCI_COMPRESSION_UNSUPPORTED',
      `the layer is compressed with ${compression}, and there is no program ${compression} to read it`,
      { actual: compression, hint, cause: error },
    );
  }
}

/** The source is read to its end even when the program stops early, so that all of it is verified. */
async function feed(
  { stdin }: ChildProcessWithoutNullStreams,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of source) {
    if (!stdin.writable || stdin.write(chunk)) continue;
    await Promise.race([once(stdin, 'drain'), once(stdin, 'close')]).catch(() => undefined);
  }
  stdin.end();
}

async function readMessage({ stderr }: ChildProcessWithoutNullStreams): Promise<string> {
  let text = '';
  for await (const chunk of stderr) {
    if (text.length < PROGRAM_MESSAGE_LIMIT) text += String(chunk);
  }
  return text.slice(0, PROGRAM_MESSAGE_LIMIT).replaceAll(/\s+/g, ' ').trim();
}

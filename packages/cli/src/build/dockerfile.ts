import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';

/** The Dockerfile of a build: its text, and where it is. */
export interface DockerfileText {
  readonly text: string;
  /** Undefined for standard input. */
  readonly path: string | undefined;
}

/** Reads `--file`, or `Dockerfile` of the context, or `Containerfile`. `-` is standard input. Throws ERR_OCI_USAGE. */
export async function readDockerfile(context: string, file: string | undefined): Promise<DockerfileText> {
  if (file === '-') return { text: await readStandardInput(), path: undefined };
  const candidates =
    file === undefined ? [join(context, 'Dockerfile'), join(context, 'Containerfile')] : [file];
  for (const path of candidates) {
    const text = await readText(path);
    if (text !== undefined) return { text, path };
  }
  throw file === undefined
    ? usageError(`there is no ${candidates.join(' and no ')}`, 'name the Dockerfile with --file')
    : usageError(`there is no Dockerfile ${file}`, 'the path is one of this directory, not of the context');
}

async function readText(path: string): Promise<string | undefined> {
  const { MAX_DOCKERFILE_BYTES } = await import('@ocijs/build');
  await using handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw usageError(`${path} cannot be read: ${systemMeaning(error)}`);
  });
  if (handle === undefined) return undefined;
  const status = await handle.stat();
  if (!status.isFile()) throw usageError(`${path} is no file`, 'name the Dockerfile itself with --file');
  if (status.size > MAX_DOCKERFILE_BYTES)
    throw usageError(`${path} is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  return handle.readFile('utf8');
}

async function readStandardInput(): Promise<string> {
  const { MAX_DOCKERFILE_BYTES } = await import('@ocijs/build');
  if (process.stdin.isTTY) throw usageError('standard input is a terminal, not a Dockerfile');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_DOCKERFILE_BYTES)
      throw usageError(`the Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

import { createWriteStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '../errors.ts';
import { MAX_REMOTE_BYTES } from '../limits.ts';
import { checked } from './checksum.ts';

export interface RemoteFileOptions {
  /** An empty directory that the file is written to. */
  readonly directory: string;
  readonly checksum?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** True for what `ADD` fetches with HTTP. */
export function isRemoteFile(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * Fetches a file with HTTP and returns its name in the directory. It can be read by root alone, as with Docker, and has
 * the time that the server tells.
 *
 * @throws BuildError `ERR_OCI_BUILD_DOWNLOAD_FAILED`, `ERR_OCI_BUILD_CHECKSUM_MISMATCH`
 */
export async function fetchRemoteFile(url: string, options: RemoteFileOptions): Promise<string> {
  const { directory, checksum, signal } = options;
  const shown = withoutPassword(url);
  const response = await fetch(url, {
    redirect: 'follow',
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw failed(shown, 'cannot be fetched', { cause });
  });
  if (!response.ok || response.body === null)
    throw failed(shown, `was answered with ${response.status}`, { status: response.status });
  const name = decodeURIComponent(basename(new URL(url).pathname));
  if (name === '' || name.includes('/') || name.includes('\0')) throw failed(shown, 'has no file name', {});
  const body = limited(response.body, shown);
  const content = checksum === undefined ? body : checked(body, { checksum, label: shown });
  const path = join(directory, name);
  await pipeline(
    content,
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
    signal === undefined ? {} : { signal },
  );
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  if (!Number.isNaN(modified)) await utimes(path, modified / 1000, modified / 1000);
  return name;
}

async function* limited(source: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > MAX_REMOTE_BYTES) throw failed(label, `is larger than ${MAX_REMOTE_BYTES} bytes`, {});
    yield chunk;
  }
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1').replace(/\?.*/s, '');
}

function failed(
  url: string,
  why: string,
  details: { readonly cause?: unknown; readonly status?: number },
): BuildError {
  return new BuildError('ERR_OCI_BUILD_DOWNLOAD_FAILED', `${url} ${why}`, { url, ...details });
}

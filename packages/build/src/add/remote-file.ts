import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '../errors.ts';
import { MAX_REMOTE_BYTES } from '../limits.ts';
import { withoutCredentials } from '../without-credentials.ts';
import { checked } from './checksum.ts';
import { authorizationFor, type Secrets } from './credentials.ts';

export interface RemoteFileOptions {
  /** An empty directory that the file is written to. */
  readonly directory: string;
  /** What the file is called; by itself the last part of the path. */
  readonly name?: string | undefined;
  readonly checksum?: string | undefined;
  /** `HTTP_AUTH_TOKEN_host` and `HTTP_AUTH_HEADER_host` among them are for the server. */
  readonly secrets?: Secrets | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was fetched. */
export interface RemoteFile {
  /** In the directory. */
  readonly name: string;
  readonly digest: string;
}

/** True for what `ADD` fetches with HTTP. */
export function isRemoteFile(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

/**
 * Fetches a file with HTTP. It can be read by root alone, as with Docker, and has the time that the server tells.
 *
 * @throws BuildError `ERR_OCI_BUILD_DOWNLOAD_FAILED`, `ERR_OCI_BUILD_CHECKSUM_MISMATCH`
 */
export async function fetchRemoteFile(url: string, options: RemoteFileOptions): Promise<RemoteFile> {
  const { directory, checksum, secrets, signal } = options;
  const shown = shownUrl(url);
  const address = parseUrl(url, shown);
  const authorization = authorizationFor(address, secrets);
  address.username = '';
  address.password = '';
  // Fetch leaves the header out where a redirect leads to another server.
  const response = await fetch(address, {
    redirect: 'follow',
    ...(authorization === undefined ? {} : { headers: { authorization } }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw failed(shown, 'cannot be fetched', { cause });
  });
  if (!response.ok || response.body === null)
    throw failed(shown, `was answered with ${response.status}`, { status: response.status });
  const name = options.name ?? decodeURIComponent(basename(address.pathname));
  if (['', '.', '..'].includes(name) || name.includes('/') || name.includes('\0'))
    throw failed(shown, 'has no file name', {});
  const hash = createHash('sha256');
  const body = limited(response.body, { label: shown, hash });
  const content = checksum === undefined ? body : checked(body, { checksum, label: shown });
  const path = join(directory, name);
  await pipeline(
    content,
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
    signal === undefined ? {} : { signal },
  );
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  if (!Number.isNaN(modified)) await utimes(path, modified / 1000, modified / 1000);
  return { name, digest: `sha256:${hash.digest('hex')}` };
}

async function* limited(
  source: AsyncIterable<Uint8Array>,
  { label, hash }: { readonly label: string; readonly hash: Hash },
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > MAX_REMOTE_BYTES) throw failed(label, `is larger than ${MAX_REMOTE_BYTES} bytes`, {});
    hash.update(chunk);
    yield chunk;
  }
}

function parseUrl(url: string, shown: string): URL {
  try {
    return new URL(url);
  } catch (cause) {
    throw failed(shown, 'is no address', { cause });
  }
}

/** Tokens stand in queries, too. */
function shownUrl(url: string): string {
  return withoutCredentials(url).replace(/\?.*/s, '');
}

function failed(
  url: string,
  why: string,
  details: { readonly cause?: unknown; readonly status?: number },
): BuildError {
  return new BuildError('ERR_OCI_BUILD_DOWNLOAD_FAILED', `${url} ${why}`, { url, ...details });
}

import { existsSync } from 'node:fs';
import type { BuildContext, ContextImage } from '@ocijs/build';
import type { Store } from '@ocijs/image';
import { usageError } from '../errors.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { readDockerfile } from './dockerfile.ts';

/** What is built from. */
export interface BuildInput {
  readonly context: BuildContext;
  readonly dockerfile: string;
  /** Where the Dockerfile is, for documents. */
  readonly path: string;
  /** The directory of this host that the context is. */
  readonly directory: string | undefined;
}

export interface InputOptions {
  /** `--file`. */
  readonly file: string | undefined;
  readonly store: Store;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly resources: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/**
 * Opens the context of a build and reads its Dockerfile: a directory, a git repository, an archive or a Dockerfile from HTTP, or
 * either from standard input. `--file` is a path of this host for a directory, and one in the context for all else.
 */
export async function openInput(location: string, options: InputOptions): Promise<BuildInput> {
  const { file, store, secrets, resources, signal } = options;
  const { openContext, openRemoteContext, readContextDockerfile } = await import('@ocijs/build');
  if (location === '-' && (file === '-' || process.stdin.isTTY))
    throw usageError(
      file === '-'
        ? 'the context and the Dockerfile cannot both be standard input'
        : 'standard input is a terminal, not a build context',
    );
  const fromStandardInput = file === '-' ? await readDockerfile(location, file) : undefined;
  const remote = await openRemoteContext(location, {
    store,
    secrets,
    signal,
    input: process.stdin,
    dockerfile: file === '-' ? undefined : (file ?? 'Dockerfile'),
  });
  if (remote === undefined) {
    const { text, path } = fromStandardInput ?? (await readDockerfile(location, file));
    const context = resources.use(await openContext(location, { dockerfile: path, signal }));
    return { context, dockerfile: text, path: path ?? '-', directory: location };
  }
  const { context, dockerfile } = resources.use(remote);
  if (fromStandardInput !== undefined)
    return { context, dockerfile: fromStandardInput.text, path: '-', directory: undefined };
  return {
    context,
    dockerfile: dockerfile ?? readContextDockerfile(context, file),
    path: file ?? 'Dockerfile',
    directory: undefined,
  };
}

/**
 * Opens the contexts of `--build-context NAME=WHERE`: `docker-image://NAME`, `oci-layout://DIR[:TAG|@DIGEST]`, a directory, a git
 * repository, or an archive from HTTP.
 */
export async function openNamedContexts(
  texts: readonly string[] | undefined,
  { store, secrets, resources, signal }: Omit<InputOptions, 'file'>,
): Promise<ReadonlyMap<string, BuildContext | ContextImage>> {
  const { openContext, openRemoteContext } = await import('@ocijs/build');
  const contexts = new Map<string, BuildContext | ContextImage>();
  for (const [name, location] of Object.entries(parseNameValues(texts, '--build-context') ?? {})) {
    const label = `the context ${name}`;
    if (/^(?:docker-image|oci-layout):\/\//.test(location)) {
      contexts.set(name, { image: imageName(location) });
      continue;
    }
    if (location === '-') throw usageError(`--build-context ${name}: standard input is for the main context`);
    const remote = await openRemoteContext(location, { store, secrets, signal, label });
    if (remote !== undefined) contexts.set(name, resources.use(remote).context);
    else if (!existsSync(location) && /^[a-z][a-z0-9+.-]*:\/\//.test(location))
      throw usageError(
        `--build-context ${name}: ${location} cannot be a context`,
        'a directory, docker-image://NAME, oci-layout://DIR, a git repository or an address of HTTP',
      );
    else contexts.set(name, resources.use(await openContext(location, { label, signal })));
  }
  return contexts;
}

/** As images are named elsewhere on this command line. */
function imageName(location: string): string {
  return location.startsWith('oci-layout://')
    ? `oci:${location.slice('oci-layout://'.length)}`
    : location.slice('docker-image://'.length);
}

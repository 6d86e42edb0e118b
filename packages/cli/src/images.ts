import type { Descriptor, ImageCollection, ImageSource, OnEvent, Platform, Store } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import { CliError, usageError } from './errors.ts';
import { codeOf } from './exit-codes.ts';
import type { ImageName } from './image-name.ts';

export const pullPolicies = ['always', 'missing', 'never'] as const;

/** When to ask a registry for an image that is named without a transport. */
export type PullPolicy = (typeof pullPolicies)[number];

/** How {@link openImage} finds an image. */
export interface OpenImageOptions {
  readonly openStore: () => Promise<Store>;
  readonly pull: PullPolicy;
  readonly platform?: Platform;
  readonly registry: RegistryOptions;
  /** For `docker://`: read over the network only what is needed, or bring the image into the store first. */
  readonly remote: 'read' | 'pull';
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
}

/** Opens the image of one platform, wherever the name says it is. Layouts and archives stay open until the process ends. */
export async function openImage(name: ImageName, options: OpenImageOptions): Promise<ImageSource> {
  if (name.transport === 'oci') {
    const { store, descriptor } = await openLayoutEntry(name);
    return store.image(descriptor, selection(options));
  }
  if (name.transport === 'oci-archive' || name.transport === 'docker-archive' || name.transport === 'dir') {
    const { selectImage } = await import('@ocijs/image');
    const collection = await openCollection(name, options);
    const wanted = name.transport === 'dir' ? {} : { name: name.name, position: name.position };
    return collection.image(await selectImage(collection, wanted), selection(options));
  }
  if (name.transport === 'docker') {
    return options.remote === 'pull' ? pullImage(name.name, options) : readRemote(name.name, options);
  }
  if (options.pull === 'always') return pullImage(name.name, options);
  const store = await options.openStore();
  const stored = await storedName(store, name.name);
  try {
    if (stored !== undefined) return await store.image(stored, selection(options));
  } catch (error) {
    if (options.pull === 'never' || !isMissing(error)) throw error;
  }
  if (options.pull === 'missing') return pullImage(name.name, options);
  throw new CliError('ERR_OCI_IMAGE_NOT_FOUND', `image ${name.name} is not in the store`, {
    hint: `pull it first: \`oci pull ${name.name}\``,
  });
}

/** Referred to from here, so that no file is closed by the garbage collector. */
const openCollections: ImageCollection[] = [];

async function openCollection(
  name: ImageName & { readonly transport: 'oci-archive' | 'docker-archive' | 'dir' },
  { signal }: OpenImageOptions,
): Promise<ImageCollection> {
  const { openArchive, openDirectory } = await import('@ocijs/image');
  const collection =
    name.transport === 'dir'
      ? await openDirectory(name.directory, { signal })
      : await openArchive(archiveInput(name.file), {
          format: name.transport === 'oci-archive' ? 'oci' : 'docker',
          ...(name.file === '-' ? { location: 'standard input' } : {}),
          signal,
        });
  openCollections.push(collection);
  return collection;
}

/** A file, or standard input for `-`. */
export function archiveInput(file: string): string | AsyncIterable<Uint8Array> {
  if (file !== '-') return file;
  if (process.stdin.isTTY) throw usageError('standard input is a terminal, not an archive');
  return process.stdin;
}

/** The name under which the store knows an image: the full reference, or what was typed for names of other tools. */
export async function storedName(store: Store, typed: string): Promise<string | undefined> {
  const { formatReference, parseReference } = await import('@ocijs/image');
  if ((await store.resolve(typed)) !== undefined) return typed;
  const full = formatReference(parseReference(typed));
  return (await store.resolve(full)) === undefined ? undefined : full;
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === 'ERR_OCI_IMAGE_NOT_FOUND' ||
    code === 'ERR_OCI_BLOB_NOT_FOUND' ||
    code === 'ERR_OCI_PLATFORM_NOT_FOUND'
  );
}

function selection({ platform, signal }: OpenImageOptions): { platform?: Platform; signal: AbortSignal } {
  return { signal, ...(platform === undefined ? {} : { platform }) };
}

async function pullImage(name: string, options: OpenImageOptions): Promise<ImageSource> {
  const [{ pull }, { hashBlobsTogether }] = await Promise.all([
    import('@ocijs/registry'),
    import('@ocijs/bundle/hashing'),
  ]);
  hashBlobsTogether();
  const { onEvent } = options;
  const store = await options.openStore();
  return pull(name, { ...options.registry, ...selection(options), store, onEvent });
}

async function readRemote(name: string, options: OpenImageOptions): Promise<ImageSource> {
  const { remoteImage } = await import('@ocijs/registry');
  return remoteImage(name, { ...options.registry, ...selection(options), onEvent: options.onEvent });
}

/** Opens the layout of an `oci:` name and finds the entry that is meant. */
export async function openLayoutEntry({
  directory,
  tag,
  digest,
}: ImageName & { readonly transport: 'oci' }): Promise<{
  readonly store: Store;
  readonly descriptor: Descriptor;
}> {
  const { openLayout, parseDigest, selectEntry } = await import('@ocijs/image');
  const store = await openLayout(directory);
  const descriptor = await selectEntry(store, {
    ...(tag === undefined ? {} : { name: tag }),
    ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
  });
  return { store, descriptor };
}

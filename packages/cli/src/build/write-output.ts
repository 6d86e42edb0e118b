import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Descriptor, ImageSource, OnEvent, TarWriteEntry } from '@ocijs/image';
import type { RegistryOptions } from '@ocijs/registry';
import { platformText } from '../describe.ts';
import { writeTarOutput } from '../tar-output.ts';
import { archiveOutput } from '../transfer-output.ts';
import { isInUserNamespace } from '../user-namespace/spawn.ts';
import type { BuiltImage } from './build-image.ts';
import type { BuildOutput } from './outputs.ts';

interface WriteOptions {
  readonly registry: RegistryOptions;
  readonly signal: AbortSignal;
}

/** Writes what was built to one output; names and pushes are done for all outputs together. */
export async function writeOutput(
  output: BuildOutput,
  built: BuiltImage,
  options: WriteOptions,
): Promise<void> {
  switch (output.type) {
    case 'local':
      return writeFiles(output, built, options.signal);
    case 'tar':
      return writeTarFile(output, built, options.signal);
    case 'oci':
    case 'docker':
    case 'oci-layout':
      return writeArchive(output, built, options);
    default:
      return undefined;
  }
}

/** Names in the store that last as long as a copy. */
async function withName<Result>(
  { store, top, names }: BuiltImage,
  use: (name: string) => Promise<Result>,
): Promise<Result> {
  const [name] = names;
  if (name !== undefined) return use(name);
  const temporary = `build-${process.pid}-${top.digest.replace(':', '-')}`;
  await store.tag(temporary, top);
  try {
    return await use(temporary);
  } finally {
    await store.untag(temporary);
  }
}

async function writeArchive(output: BuildOutput, built: BuiltImage, options: WriteOptions): Promise<void> {
  const { copy } = await import('@ocijs/registry');
  const { type, destination, compression, dockerTypes } = output;
  const name = output.names[0] ?? built.names[0];
  const target =
    type === 'oci-layout'
      ? ({ transport: 'oci', directory: destination, name } as const)
      : ({
          transport: type === 'docker' ? 'docker-archive' : 'oci-archive',
          file: archiveOutput(destination),
          name,
        } as const);
  await withName(built, (source) =>
    copy({ transport: 'store', store: built.store, name: source }, target, {
      ...options,
      allPlatforms: built.platforms.length > 1,
      // Docker's archives have no place for what refers to an image.
      referrers: attestationsOf(built).length > 0 && type !== 'docker',
      compression,
      format: dockerTypes ? 'docker' : undefined,
    }),
  );
}

/** Where the files of a platform go. */
function partOf(image: ImageSource, { platforms }: BuiltImage, { splitPlatforms }: BuildOutput): string {
  return platforms.length > 1 && splitPlatforms ? platformText(image.platform).replaceAll('/', '_') : '';
}

async function writeFiles(output: BuildOutput, built: BuiltImage, signal: AbortSignal): Promise<void> {
  const { destination } = output;
  if (output.deleteOthers)
    for (const name of await namesIn(destination))
      await rm(join(destination, name), { recursive: true, force: true });
  for (const { image } of built.platforms.map(({ result }) => result))
    await unpackFiles(image, join(destination, partOf(image, built, output)), signal);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

/** Into a new directory at once; into one that has files already beside them, and in the place of those of the same name. */
async function unpackFiles(image: ImageSource, directory: string, signal: AbortSignal): Promise<void> {
  // What an ordinary user gets belongs to that user.
  const owners = process.geteuid?.() === 0 && !isInUserNamespace();
  if ((await namesIn(directory)).length === 0) {
    const { unpack } = await import('@ocijs/bundle');
    await mkdir(dirname(directory), { recursive: true });
    await unpack(image, directory, {
      rootfsOnly: true,
      signal,
      ...(owners ? {} : { rootless: true }),
    });
    return;
  }
  const { exportImage, writeTar } = await import('@ocijs/image');
  const { extractArchive } = await import('@ocijs/build');
  const files = writeTar(exportImage(image, { signal }), { signal });
  await extractArchive(files, { directory, owners, signal });
}

async function writeTarFile(output: BuildOutput, built: BuiltImage, signal: AbortSignal): Promise<void> {
  const { exportImage, writeTar } = await import('@ocijs/image');
  async function* entries(): AsyncGenerator<TarWriteEntry> {
    for (const { image } of built.platforms.map(({ result }) => result)) {
      const part = partOf(image, built, output);
      for await (const entry of exportImage(image, { signal }))
        yield part === '' ? entry : movedBelow(part, entry);
    }
  }
  await writeTarOutput(writeTar(entries(), { signal }), output.destination);
}

function movedBelow(part: string, entry: TarWriteEntry): TarWriteEntry {
  const { header } = entry;
  const name = `${part}/${header.name}`;
  const moved =
    header.type === 'link'
      ? { ...header, name, linkname: `${part}/${header.linkname ?? ''}` }
      : { ...header, name };
  return { ...entry, header: moved };
}

/** What refers to the images. */
function attestationsOf({ platforms }: BuiltImage): readonly Descriptor[] {
  return platforms.flatMap(({ attestations }) => attestations.map(({ descriptor }) => descriptor));
}

/** Sends what was built to the registry of a name, and then the statements that refer to it. */
export async function pushBuilt(
  built: BuiltImage,
  name: string,
  options: WriteOptions & {
    readonly onEvent: OnEvent;
    /** Without a tag. */
    readonly byDigest: boolean;
  },
): Promise<void> {
  const { push } = await import('@ocijs/registry');
  const { formatReference, parseReference } = await import('@ocijs/image');
  const { registry, signal, onEvent, byDigest } = options;
  const { store, top, platforms } = built;
  const { registry: host, repository } = parseReference(name);
  const inRepository = ({ digest }: Descriptor): string =>
    formatReference({ registry: host, repository, digest });
  const shared = { ...registry, store, signal, onEvent };
  await push(top, byDigest ? inRepository(top) : name, { ...shared, allPlatforms: platforms.length > 1 });
  for (const attestation of attestationsOf(built)) await push(attestation, inRepository(attestation), shared);
}

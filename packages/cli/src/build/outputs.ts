import type { ImageSource, Store } from '@ocijs/image';
import { usageError } from '../errors.ts';
import { writeTarOutput } from '../tar-output.ts';
import { archiveOutput } from '../transfer-output.ts';

const types = ['local', 'tar', 'oci', 'docker', 'oci-layout'] as const;

/** One `--output`: what is written, and where. */
export interface BuildOutput {
  readonly type: (typeof types)[number];
  /** `-` is standard output. */
  readonly destination: string;
}

/** Reads `type=TYPE,dest=PATH`; a path alone is a directory for the files. Throws ERR_OCI_USAGE. */
export function parseOutput(text: string): BuildOutput {
  if (!text.includes('=')) return { type: text === '-' ? 'tar' : 'local', destination: text };
  const fields = new Map(
    text.split(',').map((field) => {
      const [, name = '', value = ''] = /^([a-z]+)=(.*)$/.exec(field) ?? [];
      if (name !== 'type' && name !== 'dest') throw usageError(`--output ${text} is not type=TYPE,dest=PATH`);
      return [name, value] as const;
    }),
  );
  const type = types.find((known) => known === fields.get('type'));
  const destination = fields.get('dest');
  if (type === undefined)
    throw usageError(`--output ${text} has no known type`, `one of ${types.join(', ')}`);
  if (!destination) throw usageError(`--output ${text} has no dest`);
  if (destination === '-' && (type === 'local' || type === 'oci-layout'))
    throw usageError(`--output ${text}: a directory cannot be standard output`);
  return { type, destination };
}

/** What was built. */
export interface BuiltImage {
  readonly store: Store;
  /** Of each platform. */
  readonly images: readonly ImageSource[];
  readonly names: readonly string[];
}

/** Writes what was built to one output. */
export async function writeOutput(
  { type, destination }: BuildOutput,
  { store, images, names }: BuiltImage,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const [image, ...others] = images;
  if (image === undefined) return;
  if (type === 'local' || type === 'tar') {
    if (others.length > 0) throw usageError(`--output type=${type} takes one platform`);
    return type === 'local'
      ? unpackFiles(image, destination, signal)
      : writeTarFile(image, destination, signal);
  }
  const [name] = names;
  if (name === undefined) throw usageError(`--output type=${type} needs a name`, 'add --tag NAME');
  const { copy } = await import('@ocijs/registry');
  const source = { transport: 'store', store, name } as const;
  const target =
    type === 'oci-layout'
      ? ({ transport: 'oci', directory: destination, name } as const)
      : ({ transport: `${type}-archive`, file: archiveOutput(destination), name } as const);
  await copy(source, target, { allPlatforms: others.length > 0, signal });
}

async function unpackFiles(image: ImageSource, directory: string, signal: AbortSignal): Promise<void> {
  const { unpack } = await import('@ocijs/bundle');
  await unpack(image, directory, {
    rootfsOnly: true,
    signal,
    ...(process.geteuid?.() === 0 ? {} : { rootless: true }),
  });
}

async function writeTarFile(image: ImageSource, file: string, signal: AbortSignal): Promise<void> {
  const { exportImage, writeTar } = await import('@ocijs/image');
  await writeTarOutput(writeTar(exportImage(image, { signal }), { signal }), file);
}

import type { Store } from '@ocijs/image';
import type { CopyDestinationLocation, CopySourceLocation } from '@ocijs/registry';
import { type CliError, usageError } from './errors.ts';
import type { ImageName } from './image-name.ts';
import { archiveInput, storedName } from './images.ts';
import { archiveOutput } from './transfer-output.ts';

/** Where to copy from: a plain name is the store's when the store has it, else the registry's. */
export async function sourceLocation(
  name: ImageName,
  openStore: () => Promise<Store>,
): Promise<CopySourceLocation> {
  switch (name.transport) {
    case 'name': {
      const store = await openStore();
      const stored = await storedName(store, name.name);
      return stored === undefined
        ? { transport: 'registry', reference: name.name }
        : { transport: 'store', store, name: stored };
    }
    case 'docker':
      return { transport: 'registry', reference: name.name };
    case 'oci': {
      const { parseDigest } = await import('@ocijs/image');
      const { directory, tag, digest } = name;
      return {
        transport: 'oci',
        directory,
        name: tag,
        digest: digest === undefined ? undefined : parseDigest(digest),
      };
    }
    case 'dir':
      return name;
    default:
      return { ...name, file: archiveInput(name.file) };
  }
}

/** Where to copy to: a plain name is one in the store. */
export async function destinationLocation(
  name: ImageName,
  openStore: () => Promise<Store>,
): Promise<CopyDestinationLocation> {
  switch (name.transport) {
    case 'name':
      return { transport: 'store', store: await openStore(), name: name.name };
    case 'docker':
      return { transport: 'registry', reference: name.name };
    case 'oci':
      if (name.digest !== undefined) throw unnameable(`oci:${name.directory}`);
      return { transport: 'oci', directory: name.directory, name: name.tag };
    case 'dir':
      return name;
    default: {
      const { transport, file } = name;
      if (name.position !== undefined) throw unnameable(`${transport}:${file}`);
      return { transport, file: archiveOutput(file), name: name.name };
    }
  }
}

function unnameable(text: string): CliError {
  return usageError(`a destination in ${text} is chosen by name`, 'leave digest and place out');
}

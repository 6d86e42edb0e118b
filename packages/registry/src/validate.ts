import {
  ImageError,
  loadImage,
  type Platform,
  type ReadableContent,
  type ValidateTreeOptions,
  type Violation,
  validateTree,
} from '@ocijs/image';
import type { CopySourceLocation } from './copy/location.ts';
import { openSource } from './copy/source.ts';
import { RegistryError } from './errors.ts';
import type { RegistryOptions } from './options.ts';

/** Options of {@link validate}. */
export interface ValidateOptions extends RegistryOptions, Pick<ValidateTreeOptions, 'onEvent'> {
  /** Which image of an index; default: the host's. */
  readonly platform?: Platform | undefined;
  /** The index and everything below it. Default false. */
  readonly allPlatforms?: boolean | undefined;
}

/**
 * Recomputes everything that an image says of itself, wherever it is: in a registry, the store, a layout, an archive or a
 * directory. Everything is read; nothing is stored. Returns all that is wrong. Throws what keeps it from looking, and
 * ERR_OCI_PLATFORM_NOT_FOUND.
 */
export async function validate(
  location: CopySourceLocation,
  options: ValidateOptions = {},
): Promise<readonly Violation[]> {
  const { platform, allPlatforms = false, signal, onEvent } = options;
  signal?.throwIfAborted();
  await using source = await openSource(location, options);
  const content = missingAsNotFound(source.content);
  const { top, name } = source;
  const isWhole = allPlatforms || top.artifactType !== undefined;
  const chosen = isWhole ? top : await choose();
  return await validateTree(content, chosen, { signal, onEvent });

  async function choose(): Promise<typeof top> {
    try {
      return (await loadImage(content, top, { name, platform, signal })).descriptor;
    } catch (error) {
      if (!(error instanceof ImageError) || error.code === 'ERR_OCI_PLATFORM_NOT_FOUND') throw error;
      // What keeps it from being an image is what is to be told.
      return top;
    }
  }
}

/** What a registry lacks is missing from the image, as in a store. */
function missingAsNotFound(content: ReadableContent): ReadableContent {
  const translate = (error: unknown): unknown => {
    if (!(error instanceof RegistryError) || error.code !== 'ERR_OCI_REGISTRY_NOT_FOUND') return error;
    return new ImageError('ERR_OCI_BLOB_NOT_FOUND', error.message, { cause: error });
  };
  return {
    async *read(descriptor, options) {
      try {
        yield* content.read(descriptor, options);
      } catch (error) {
        throw translate(error);
      }
    },
    async readAll(descriptor, options) {
      try {
        return await content.readAll(descriptor, options);
      } catch (error) {
        throw translate(error);
      }
    },
  };
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createHasher, type Descriptor, ImageError, isMediaType } from '@ocijs/image';
import { checkTitle } from './artifact-title.ts';
import { RegistryError } from './errors.ts';

/** A file that becomes a layer of an artifact. */
export interface ArtifactFile {
  readonly path: string;
  /** Default `application/octet-stream`. */
  readonly mediaType?: string | undefined;
  /** The name under which it will be written again; default: the last component of the path. */
  readonly title?: string | undefined;
}

/** The annotation that carries the name of a layer's file (image-spec "Pre-Defined Annotation Keys"). */
export const titleAnnotation = 'org.opencontainers.image.title';

/** A file's layer and how to read its bytes. */
export interface FileLayer {
  readonly descriptor: Descriptor;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Reads a file once for its digest. Throws ERR_OCI_REGISTRY_ARTIFACT_INVALID for what is no file, cannot be
 * read or has a title that could not be written again, ERR_OCI_MEDIA_TYPE_UNSUPPORTED.
 */
export async function describeFile(
  { path, mediaType = 'application/octet-stream', title = basename(path) }: ArtifactFile,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<FileLayer> {
  if (!isMediaType(mediaType)) {
    throw new ImageError('ERR_OCI_MEDIA_TYPE_UNSUPPORTED', `"${mediaType}" is not a media type`, { path });
  }
  checkTitle(title);
  const open = (): AsyncIterable<Uint8Array> => createReadStream(path, { highWaterMark: 1_048_576 });
  const hasher = createHasher('sha256');
  let size = 0;
  try {
    if (!(await stat(path)).isFile()) throw unreadable(path, 'is not a regular file');
    for await (const chunk of open()) {
      signal?.throwIfAborted();
      hasher.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RegistryError) throw error;
    throw unreadable(path, `cannot be read (${String((error as { code?: unknown }).code)})`, error);
  }
  const annotations = { [titleAnnotation]: title };
  return { descriptor: { mediaType, digest: hasher.digest(), size, annotations }, open };
}

function unreadable(path: string, reason: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_ARTIFACT_INVALID', `file ${path} ${reason}`, { path, cause });
}

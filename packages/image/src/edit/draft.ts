import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import { ImageError } from '../errors.ts';
import type { ImageConfig, Manifest } from '../manifest/types.ts';
import { MediaType } from '../media-types.ts';
import type { ImageSource } from '../source.ts';

/** A layer of a draft, wherever its bytes are. */
export interface DraftLayer {
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive. */
  readonly diffId: Digest;
}

/**
 * An image that is being edited: what manifest and config say, and the layers. Every edit is a function from one draft
 * to another; nothing is stored before `writeDraft`.
 */
export interface ImageDraft {
  /** Without its layers and config, which the draft has. */
  readonly manifest: Omit<Manifest, 'layers' | 'config' | 'mediaType'>;
  /** Without what follows from the layers. */
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly DraftLayer[];
}

/** What the layers of Docker's images are called in OCI manifests; the bytes are the same. */
const ociTypes: ReadonlyMap<string, string> = new Map([
  [MediaType.dockerLayer, MediaType.layer],
  [MediaType.dockerLayerGzip, MediaType.layerGzip],
  [MediaType.dockerForeignLayerGzip, MediaType.nondistributableLayerGzip],
]);

/**
 * Starts to edit an image. What is edited becomes an OCI image, also when it was Docker's; fields that no specification
 * knows stay. Throws ERR_OCI_CONFIG_INVALID when manifest and config name different numbers of layers.
 */
export function draftOf({
  name,
  manifest,
  config,
}: Pick<ImageSource, 'name' | 'manifest' | 'config'>): ImageDraft {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length)
    throw new ImageError(
      'ERR_OCI_CONFIG_INVALID',
      `${name} has ${manifest.layers.length} layers, but its configuration knows ${diffIds.length}`,
      { expected: diffIds.length, actual: manifest.layers.length, jsonPath: '$.rootfs.diff_ids' },
    );
  const { layers, config: _config, mediaType: _mediaType, ...rest } = manifest;
  return {
    manifest: rest,
    config,
    layers: layers.map((descriptor, index) => ({
      descriptor: { ...descriptor, mediaType: ociTypes.get(descriptor.mediaType) ?? descriptor.mediaType },
      diffId: diffIds[index] ?? ('' as Digest),
    })),
  };
}

/** The error for an edit that does not fit the image. */
export function editInvalid(message: string, hint?: string): ImageError {
  return new ImageError('ERR_OCI_EDIT_INVALID', message, hint === undefined ? {} : { hint });
}

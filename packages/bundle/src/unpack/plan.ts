import { type Descriptor, type Digest, ImageError, type ImageSource, layerCompression } from '@ocijs/image';

/** A layer of the image and what it must contain. */
export interface PlannedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * The layers to apply, the lowest first. Throws ERR_OCI_CONFIG_INVALID when manifest and configuration name
 * different numbers of layers, ERR_OCI_MEDIA_TYPE_UNSUPPORTED for layers that nobody can unpack.
 */
export function planLayers({ name, manifest, config }: ImageSource): readonly PlannedLayer[] {
  const { layers } = manifest;
  const diffIds = config.rootfs.diff_ids;
  if (layers.length !== diffIds.length) {
    throw new ImageError(
      'ERR_OCI_CONFIG_INVALID',
      `${name} has ${layers.length} layers, but its configuration knows ${diffIds.length}`,
      { expected: diffIds.length, actual: layers.length, jsonPath: '$.rootfs.diff_ids' },
    );
  }
  return layers.map((descriptor, index) => {
    const diffId = diffIds[index];
    if (diffId === undefined || layerCompression(descriptor.mediaType) === undefined) {
      throw new ImageError(
        'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
        `layer ${descriptor.digest} of ${name} has the media type ${descriptor.mediaType}`,
        {
          digest: descriptor.digest,
          actual: descriptor.mediaType,
          jsonPath: `$.layers[${index}].mediaType`,
          hint: descriptor.mediaType.includes('encrypted')
            ? 'the layer is encrypted; decrypt the image first'
            : 'this is no file system layer; the image may be an artifact',
        },
      );
    }
    return { descriptor, diffId };
  });
}

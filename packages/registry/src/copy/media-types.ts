import { type Compression, ImageError, layerCompression, MediaType } from '@ocijs/image';

/** The two families of manifests. */
export type ManifestFormat = 'oci' | 'docker';

/** The family that a manifest or index belongs to. */
export function formatOf(mediaType: string): ManifestFormat {
  return mediaType === MediaType.dockerManifest || mediaType === MediaType.dockerManifestList
    ? 'docker'
    : 'oci';
}

const documents: Readonly<Record<ManifestFormat, Readonly<Record<'manifest' | 'index' | 'config', string>>>> =
  {
    oci: { manifest: MediaType.manifest, index: MediaType.index, config: MediaType.config },
    docker: {
      manifest: MediaType.dockerManifest,
      index: MediaType.dockerManifestList,
      config: MediaType.dockerConfig,
    },
  };

/** The media type of a document in a family. */
export function documentType(format: ManifestFormat, kind: 'manifest' | 'index' | 'config'): string {
  return documents[format][kind];
}

const layers: Readonly<Record<ManifestFormat, Readonly<Partial<Record<Compression, string>>>>> = {
  oci: { none: MediaType.layer, gzip: MediaType.layerGzip, zstd: MediaType.layerZstd },
  docker: { none: MediaType.dockerLayer, gzip: MediaType.dockerLayerGzip },
};

const foreignLayers: typeof layers = {
  oci: {
    none: MediaType.nondistributableLayer,
    gzip: MediaType.nondistributableLayerGzip,
    zstd: MediaType.nondistributableLayerZstd,
  },
  docker: { gzip: MediaType.dockerForeignLayerGzip },
};

/**
 * The media type of a layer in a family with a compression. Throws ERR_OCI_MEDIA_TYPE_UNSUPPORTED for what Docker's
 * has no type for: zstd, and foreign layers that are not gzip.
 */
export function layerType(
  mediaType: string,
  { format, compression }: { readonly format: ManifestFormat; readonly compression: Compression },
): string {
  // Already of the family: spelled as it is, so that nothing changes without need.
  if (layerCompression(mediaType) === compression && isDocker(mediaType) === (format === 'docker'))
    return mediaType;
  const table = /nondistributable|foreign/.test(mediaType) ? foreignLayers : layers;
  const found = table[format][compression];
  if (found !== undefined) return found;
  throw new ImageError(
    'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    `Docker's manifests have no type for the layer ${mediaType} with the compression ${compression}`,
    { actual: mediaType, hint: 'copy it in the OCI format' },
  );
}

function isDocker(mediaType: string): boolean {
  return mediaType.startsWith('application/vnd.docker.');
}

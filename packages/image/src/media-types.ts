/** Media types of the OCI image specification (image-spec `media-types.md`) and their Docker equivalents. */
export const MediaType = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerManifestSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  nondistributableLayer: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  nondistributableLayerGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  nondistributableLayerZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
} as const;

/** True for an OCI image index or a Docker manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MediaType.index || mediaType === MediaType.dockerManifestList;
}

/** True for an OCI image manifest or a Docker schema 2 manifest. */
export function isManifestType(mediaType: string): boolean {
  return mediaType === MediaType.manifest || mediaType === MediaType.dockerManifest;
}

const restrictedName = '[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}';
const mediaTypeGrammar = new RegExp(`^${restrictedName}/${restrictedName}$`);

/** True for text of the form type/subtype that RFC 6838, section 4.2, allows; parameters are not part of it. */
export function isMediaType(text: string): boolean {
  return mediaTypeGrammar.test(text);
}

/**
 * The media type in a Content-Type header, in lower case and without parameters; undefined when the header is absent or
 * malformed (RFC 9110, section 8.3).
 */
export function parseContentType(header: string | null | undefined): string | undefined {
  const essence = header?.split(';', 1)[0]?.trim();
  return essence !== undefined && isMediaType(essence) ? essence.toLowerCase() : undefined;
}

/** True for a Docker image manifest of schema 1, signed or not, which is not read any more. */
export function isSchema1Type(mediaType: string): boolean {
  return mediaType === MediaType.dockerManifestSchema1 || mediaType === MediaType.dockerManifestSchema1Signed;
}

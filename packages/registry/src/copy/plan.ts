import { type Compression, type Descriptor, ImageError, layerCompression, MediaType } from '@ocijs/image';
import { isForeign } from '../blobs.ts';
import type { ImageGraph, ManifestNode } from '../graph.ts';
import { documentType, formatOf, layerType, type ManifestFormat } from './media-types.ts';

/** What a copy is to change. */
export interface Conversion {
  readonly format?: ManifestFormat | undefined;
  readonly compression?: Compression | undefined;
  /** What a person calls the reason for uncompressed layers, when it is the destination. */
  readonly plainFor?: string | undefined;
}

/** What becomes of one layer. */
export interface LayerPlan {
  readonly layer: Descriptor;
  readonly mediaType: string;
  /** Undefined when the bytes stay as they are. */
  readonly recompress: { readonly from: Compression; readonly to: Compression } | undefined;
}

/** What becomes of one manifest. */
export interface ManifestPlan {
  readonly node: ManifestNode;
  readonly format: ManifestFormat;
  readonly isImage: boolean;
  readonly layers: readonly LayerPlan[];
  /** False when it is copied byte for byte. */
  readonly isRewritten: boolean;
}

/**
 * Decides for each manifest what is to change. Artifacts have no layers to recompress and stay as they are.
 * Throws ERR_OCI_MEDIA_TYPE_UNSUPPORTED for what the wanted format cannot express.
 */
export function planManifests(graph: ImageGraph, conversion: Conversion): readonly ManifestPlan[] {
  return graph.manifests.map((node) => planManifest(node, conversion));
}

function planManifest(node: ManifestNode, conversion: Conversion): ManifestPlan {
  const { manifest, descriptor } = node;
  const found = formatOf(descriptor.mediaType);
  if (!isImageManifest(node)) {
    // Attestations beside images: also an index of Docker's may refer to them as they are.
    const layers = manifest.layers.map((layer) => ({
      layer,
      mediaType: layer.mediaType,
      recompress: undefined,
    }));
    return { node, format: found, isImage: false, layers, isRewritten: false };
  }
  // Docker's manifests know no zstd.
  const { format = conversion.compression === 'zstd' ? 'oci' : found } = conversion;
  const layers = manifest.layers.map((layer) => planLayer(layer, { conversion, format, found }));
  const isRewritten =
    format !== found ||
    layers.some(({ layer, mediaType }) => mediaType !== layer.mediaType) ||
    (conversion.format !== undefined && manifest.config.mediaType !== documentType(format, 'config'));
  return { node, format, isImage: true, layers, isRewritten };
}

function isImageManifest({ manifest }: ManifestNode): boolean {
  const { config, layers, artifactType } = manifest;
  if (artifactType !== undefined) return false;
  if (config.mediaType !== MediaType.config && config.mediaType !== MediaType.dockerConfig) return false;
  return layers.every(({ mediaType }) => layerCompression(mediaType) !== undefined);
}

function planLayer(
  layer: Descriptor,
  {
    conversion,
    format,
    found,
  }: { readonly conversion: Conversion; readonly format: ManifestFormat; readonly found: ManifestFormat },
): LayerPlan {
  const from = layerCompression(layer.mediaType) ?? 'none';
  const own = format === 'docker' && from === 'zstd' ? 'gzip' : from;
  const keeps = isForeign(layer) && conversion.plainFor === undefined;
  const to = keeps ? from : (conversion.compression ?? own);
  const recompress = from === to ? undefined : { from, to };
  // Without a reason, also a manifest that mixes the families stays as it is.
  const isKept = recompress === undefined && conversion.format === undefined && format === found;
  return {
    layer,
    mediaType: isKept ? layer.mediaType : layerType(layer.mediaType, { format, compression: to }),
    recompress,
  };
}

/** True when the copy cannot have the digest of the original. */
export function changesDigest(
  graph: ImageGraph,
  { plans, conversion }: { readonly plans: readonly ManifestPlan[]; readonly conversion: Conversion },
): boolean {
  return (
    plans.some(({ isRewritten }) => isRewritten) ||
    graph.indexes.some(
      ({ descriptor }) => indexFormat(descriptor, { plans, conversion }) !== formatOf(descriptor.mediaType),
    )
  );
}

/** The family that an index gets: the one asked for, and OCI when it is to hold what only OCI knows. */
export function indexFormat(
  { mediaType }: Descriptor,
  { plans, conversion }: { readonly plans: readonly ManifestPlan[]; readonly conversion: Conversion },
): ManifestFormat {
  const images = plans.filter(({ isImage }) => isImage);
  if (images.length === 0) return formatOf(mediaType);
  if (conversion.format !== undefined) return conversion.format;
  return images.some(({ format, isRewritten }) => isRewritten && format === 'oci')
    ? 'oci'
    : formatOf(mediaType);
}

/** The error for a copy that must keep its digests and cannot. */
export function digestWouldChange(top: Descriptor, { plainFor }: Conversion): ImageError {
  const reason = plainFor ?? 'the format or compression asked for';
  return new ImageError('ERR_OCI_DIGEST_MISMATCH', `${top.digest} cannot keep its digest in ${reason}`, {
    digest: top.digest,
    expected: top.digest,
    hint: 'leave out --preserve-digests, or --format and --compression; an OCI archive keeps images as they are',
  });
}

import type { Digest } from '../../digest/digest.ts';
import type { ImageSource } from '../../source.ts';

/** The blobs that an image is read from: manifest, config and layers. What a lease of an image protects. */
export function imageDigests({
  descriptor,
  manifest,
}: Pick<ImageSource, 'descriptor' | 'manifest'>): readonly Digest[] {
  return [descriptor.digest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)];
}

import type { OnEvent } from '../events.ts';
import type { ImageSource } from '../source.ts';
import { checkDocuments } from './documents.ts';
import { checkLayer, type LayerFindings } from './layer.ts';
import type { Violation } from './violation.ts';

/** Options of {@link validateImage}. */
export interface ValidateImageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Receives `layer-progress` and `layer-done`. */
  readonly onEvent?: OnEvent | undefined;
}

/**
 * Recomputes everything that an image says of itself, and returns all that is wrong; nothing means that it is right:
 * digest and size of manifest, config and each layer; the diffID of each layer; that each layer is a tar archive,
 * compressed as its media type says, that all readers see alike; the number of layers in manifest, diffIDs and history; the platform.
 * Layers that need not be distributed may be missing.
 *
 * Throws only when it cannot look: errors of the store or registry, and the signal's reason.
 */
export async function validateImage(
  image: ImageSource,
  { signal, onEvent }: ValidateImageOptions = {},
): Promise<readonly Violation[]> {
  signal?.throwIfAborted();
  const violations = checkDocuments(image);
  const seen = new Map<string, LayerFindings>();
  for (const [index, layer] of image.manifest.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[index];
    const total = layer.size;
    const { digest } = layer;
    // The same layer may come more than once; its bytes need not.
    const key = JSON.stringify([layer.mediaType, digest, layer.size, diffId]);
    const before = seen.get(key);
    const findings =
      before ??
      (await checkLayer(image, layer, {
        index,
        diffId,
        signal,
        onProgress: (done) => onEvent?.({ type: 'layer-progress', index, digest, total, done }),
      }));
    seen.set(key, findings);
    if (before === undefined) violations.push(...findings.violations);
    onEvent?.({ type: 'layer-done', index, digest, entries: findings.entries });
  }
  return violations;
}

import { ImageError } from '@ocijs/image/errors';
import type { LayerTask } from './layer-task.ts';

/** Throws ERR_OCI_DIGEST_MISMATCH when the content of a layer is not what the image configuration says. */
export function checkContent(
  { descriptor, diffId }: Pick<LayerTask, 'descriptor' | 'diffId'>,
  actual: string,
): void {
  if (actual === diffId) return;
  throw new ImageError(
    'ERR_OCI_DIGEST_MISMATCH',
    `the uncompressed content of layer ${descriptor.digest} has digest ${actual}, the image configuration says ${diffId}`,
    {
      digest: descriptor.digest,
      expected: diffId,
      actual,
      hint: 'the image is inconsistent; ask whoever made it, or pull it again',
    },
  );
}

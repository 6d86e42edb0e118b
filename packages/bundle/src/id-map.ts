import { BundleError } from './errors.ts';
import type { IdMapping } from './spec/types.ts';

/**
 * The id outside that stands for an id in the image. No mappings leave ids as they are.
 * Throws ERR_OCI_LAYER_INVALID for an id that no range holds.
 */
export function mapId(
  id: number,
  { mappings, kind }: { readonly mappings: readonly IdMapping[]; readonly kind: 'user' | 'group' },
): number {
  if (mappings.length === 0) return id;
  for (const { containerID, hostID, size } of mappings) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  throw new BundleError('ERR_OCI_LAYER_INVALID', `${kind} id ${id} of the layer has no mapping`, {
    actual: id,
    hint: `add a ${kind} id mapping that covers ${id}`,
  });
}

/** The id in the image for one outside: {@link mapId} the other way round. Throws ERR_OCI_REPACK_FAILED for an id that no range holds. */
export function unmapId(
  id: number,
  { mappings, kind }: { readonly mappings: readonly IdMapping[]; readonly kind: 'user' | 'group' },
): number {
  if (mappings.length === 0) return id;
  for (const { containerID, hostID, size } of mappings) {
    if (id >= hostID && id < hostID + size) return containerID + id - hostID;
  }
  throw new BundleError(
    'ERR_OCI_REPACK_FAILED',
    `a file belongs to ${kind} ${id}, which stands for none of the image`,
    {
      actual: id,
      hint: `give it to a ${kind} that the bundle's mapping has`,
    },
  );
}

/**
 * Reads `container:host[:size]`, as umoci's `--uid-map` has it.
 * Throws ERR_OCI_BUNDLE_INVALID for anything else, and for ids beyond 32 bits.
 */
export function parseIdMapping(text: string): IdMapping {
  const [containerID, hostID, size = 1, ...rest] = text
    .split(':')
    .map((field) => (/^\d{1,10}$/.test(field) ? Number(field) : Number.NaN));
  if (
    containerID === undefined ||
    hostID === undefined ||
    rest.length > 0 ||
    !isRange(containerID, size) ||
    !isRange(hostID, size)
  ) {
    throw new BundleError(
      'ERR_OCI_BUNDLE_INVALID',
      `id mapping ${JSON.stringify(text)} is not container:host[:size]`,
      {
        hint: 'for example 0:100000:65536',
      },
    );
  }
  return { containerID, hostID, size };
}

function isRange(first: number, size: number): boolean {
  return first >= 0 && size >= 1 && first + size <= 2 ** 32 - 1;
}

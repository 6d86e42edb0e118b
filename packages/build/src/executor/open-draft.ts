import {
  type Digest,
  digestBytes,
  encodeJson,
  type ImageDraft,
  type ImageSource,
  type Manifest,
  MediaType,
  type Store,
} from '@ocijs/image';
import type { StepLayers } from '../cache/step-layers.ts';

/**
 * The image that a stage is so far, for its snapshots to be made; nothing of it is stored.
 */
export async function openDraft(
  draft: ImageDraft,
  { store, layers: { located } }: { readonly store: Store; readonly layers: Pick<StepLayers, 'located'> },
): Promise<ImageSource> {
  const diffIds = draft.layers.map(({ diffId }) => diffId);
  const layers = await Promise.all(
    draft.layers.map((layer, index) => located(layer, diffIds.slice(0, index))),
  );
  const config = {
    ...draft.config,
    rootfs: { type: 'layers' as const, diff_ids: layers.map(({ diffId }): Digest => diffId) },
  };
  const rawConfig = encodeJson(config);
  const manifest: Manifest = {
    ...draft.manifest,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: digestBytes(rawConfig), size: rawConfig.length },
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const rawManifest = encodeJson(manifest);
  const { os, architecture, variant } = config;
  return {
    name: 'the stage',
    descriptor: {
      mediaType: MediaType.manifest,
      digest: digestBytes(rawManifest),
      size: rawManifest.length,
    },
    manifest,
    rawManifest,
    config,
    rawConfig,
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    openBlob: (descriptor, options) => store.read(descriptor, options),
    ...(store.file === undefined ? {} : { blobFile: ({ digest }) => store.file?.(digest) }),
  };
}

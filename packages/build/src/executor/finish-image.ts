import { type ImageDraft, squashLayers } from '@ocijs/image';
import { type CacheConfig, inlineCache } from '../cache/cache-config.ts';
import type { StepLayers } from '../cache/step-layers.ts';
import { openDraft } from './open-draft.ts';
import { completeDraft, fileTime, type StageState } from './stage-state.ts';
import type { BuildOptions } from './types.ts';

export interface FinishOptions
  extends Pick<BuildOptions, 'store' | 'labels' | 'annotations' | 'squash' | 'created' | 'signal'> {
  readonly layers: StepLayers;
  /** How many of the layers were there before. */
  readonly inherited: number;
  /** The steps that made the layers, to be told in the config. */
  readonly inline?: CacheConfig | undefined;
}

/** What the caller wants of the target beside its instructions: labels, annotations, one layer. */
export async function finishImage(state: StageState, options: FinishOptions): Promise<ImageDraft> {
  const { labels = {}, annotations = {}, squash = false } = options;
  const complete = await withCompressedLayers(completeDraft(state), options);
  const draft = squash
    ? await squashed(complete, { ...options, timeNs: fileTime(state, options.created) })
    : complete;
  const { config = {} } = draft.config;
  const withLabels =
    Object.keys(labels).length === 0 ? config : { ...config, Labels: { ...config.Labels, ...labels } };
  return {
    ...draft,
    config: { ...draft.config, config: withLabels, ...inlineCache(options.inline) },
    manifest: Object.keys(annotations).length === 0 ? draft.manifest : { ...draft.manifest, annotations },
  };
}

/** The layers that steps made are compressed only now, when it is known that somebody wants them. */
async function withCompressedLayers(
  draft: ImageDraft,
  { layers, inherited }: FinishOptions,
): Promise<ImageDraft> {
  const diffIds = draft.layers.map(({ diffId }) => diffId);
  const compressed = draft.layers.map((layer, index) =>
    index < inherited ? layer : layers.compressed(layer, diffIds.slice(0, index)),
  );
  return { ...draft, layers: await Promise.all(compressed) };
}

async function squashed(
  draft: ImageDraft,
  options: FinishOptions & { readonly timeNs: bigint },
): Promise<ImageDraft> {
  const { store, layers, created, signal, inherited: from, timeNs } = options;
  const to = draft.layers.length;
  if (to - from < 2) return draft;
  return squashLayers(store, await openDraft(draft, { store, layers }), {
    range: { from, to },
    clampNs: timeNs,
    record: { createdBy: 'oci build --squash', comment: 'oci build', created },
    signal,
  });
}

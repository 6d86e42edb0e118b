import { type ImageDraft, squashLayers } from '@ocijs/image';
import { openDraft } from './open-draft.ts';
import { completeDraft, fileTime, type StageState } from './stage-state.ts';
import type { BuildOptions } from './types.ts';

export interface FinishOptions
  extends Pick<BuildOptions, 'store' | 'labels' | 'annotations' | 'squash' | 'created' | 'signal'> {
  /** How many of the layers were there before. */
  inherited(): Promise<number>;
}

/** What the caller wants of the target beside its instructions: labels, annotations, one layer. */
export async function finishImage(state: StageState, options: FinishOptions): Promise<ImageDraft> {
  const { labels = {}, annotations = {}, squash = false } = options;
  const draft = squash ? await squashed(state, options) : completeDraft(state);
  const { config = {} } = draft.config;
  const withLabels =
    Object.keys(labels).length === 0 ? config : { ...config, Labels: { ...config.Labels, ...labels } };
  return {
    ...draft,
    config: { ...draft.config, config: withLabels },
    manifest: Object.keys(annotations).length === 0 ? draft.manifest : { ...draft.manifest, annotations },
  };
}

async function squashed(
  state: StageState,
  { store, created, signal, inherited }: FinishOptions,
): Promise<ImageDraft> {
  const draft = completeDraft(state);
  const from = await inherited();
  const to = draft.layers.length;
  if (to - from < 2) return draft;
  return squashLayers(store, await openDraft(store, draft, { signal }), {
    range: { from, to },
    clampNs: fileTime(state, created),
    record: { createdBy: 'oci build --squash', comment: 'oci build', created },
    signal,
  });
}

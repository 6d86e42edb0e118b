import type { DraftLayer, ImageDraft } from './draft.ts';
import { editInvalid } from './draft.ts';
import { alignedHistory, type EditRecord, editTime, historyEntry, layerPlaces } from './history.ts';

/** Adds a layer on top. */
export function withLayer(draft: ImageDraft, layer: DraftLayer, record: EditRecord): ImageDraft {
  const entry = historyEntry(draft, { ...record, emptyLayer: false });
  return {
    ...draft,
    layers: [...draft.layers, layer],
    config: {
      ...draft.config,
      created: editTime(draft, record),
      history: [...alignedHistory(draft), entry],
    },
  };
}

/** A run of layers, from 0; `to` is behind the last one. */
export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** Puts one layer in the place of several; of their history only what brought no layer stays. */
export function withLayersReplaced(
  draft: ImageDraft,
  { from, to }: LayerRange,
  { layer, record }: { readonly layer: DraftLayer; readonly record: EditRecord },
): ImageDraft {
  checkRange(draft, { from, to });
  const history = alignedHistory(draft);
  const places = layerPlaces(history);
  const gone = new Set(places.slice(from, to));
  const last = places[to - 1] ?? history.length - 1;
  const entry = historyEntry(draft, { ...record, emptyLayer: false });
  return {
    ...draft,
    layers: [...draft.layers.slice(0, from), layer, ...draft.layers.slice(to)],
    config: {
      ...draft.config,
      created: editTime(draft, record),
      history: history.flatMap((old, place) => (place === last ? [entry] : gone.has(place) ? [] : [old])),
    },
  };
}

/** Throws ERR_OCI_EDIT_INVALID for a range that the image has not. */
export function checkRange({ layers }: Pick<ImageDraft, 'layers'>, { from, to }: LayerRange): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= layers.length) return;
  throw editInvalid(
    `layers ${from + 1} to ${to} are not in an image of ${layers.length}`,
    'layers are counted from 1, the lowest first',
  );
}

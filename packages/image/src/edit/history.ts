import type { HistoryEntry } from '../manifest/types.ts';
import { formatTime, parseTime } from '../time.ts';
import type { ImageDraft } from './draft.ts';

/** What an edit leaves in the history of the image. */
export interface EditRecord {
  /** What made the change, such as `oci append`. */
  readonly createdBy?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  /**
   * Seconds since 1970 (`SOURCE_DATE_EPOCH`) or a date. Default: when the image was created before, so that nothing
   * depends on the clock and the same edit of the same image gives the same digest.
   */
  readonly created?: number | Date | undefined;
  /** False leaves the history as it is where a layer does not need an entry. */
  readonly history?: boolean | undefined;
}

/** When the edited image was created, in RFC 3339. */
export function editTime({ config }: Pick<ImageDraft, 'config'>, { created }: EditRecord): string {
  if (created !== undefined) return formatTime(nanoseconds(created));
  return config.created === undefined || parseTime(config.created) === undefined
    ? formatTime(0n)
    : config.created;
}

/** The entry of an edit (image-spec `config.md`, "history"). */
export function historyEntry(
  draft: Pick<ImageDraft, 'config'>,
  record: EditRecord & { readonly emptyLayer: boolean },
): HistoryEntry {
  const { createdBy, author, comment, emptyLayer } = record;
  return {
    created: editTime(draft, record),
    ...(createdBy === undefined ? {} : { created_by: createdBy }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(emptyLayer ? { empty_layer: true } : {}),
  };
}

/**
 * The history with one entry for each layer and any number of others. An image whose history does not tell its layers
 * gets an empty entry for each layer that has none, or loses what is too much: no reader could tell them apart.
 */
export function alignedHistory({
  config,
  layers,
}: Pick<ImageDraft, 'config' | 'layers'>): readonly HistoryEntry[] {
  const history = config.history ?? [];
  let left = layers.length;
  const kept = history.filter(({ empty_layer }) => empty_layer === true || left-- > 0);
  const missing = Math.max(0, left);
  return [...kept, ...Array.from({ length: missing }, () => ({ comment: 'no history' }))];
}

/** Where in the history the layers are: for each layer, from 0, the place of its entry. */
export function layerPlaces(history: readonly HistoryEntry[]): readonly number[] {
  return [...history.entries()].filter(([, entry]) => entry.empty_layer !== true).map(([place]) => place);
}

/** Adds the entry of an edit that brings no layer. */
export function withHistory(draft: ImageDraft, record: EditRecord): ImageDraft {
  const created = editTime(draft, record);
  if (record.history === false) return { ...draft, config: { ...draft.config, created } };
  const entry = historyEntry(draft, { ...record, emptyLayer: true });
  return { ...draft, config: { ...draft.config, created, history: [...alignedHistory(draft), entry] } };
}

function nanoseconds(time: number | Date): bigint {
  return typeof time === 'number' ? BigInt(time) * 1_000_000_000n : BigInt(time.getTime()) * 1_000_000n;
}

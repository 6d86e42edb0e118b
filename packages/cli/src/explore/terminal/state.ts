import type { ImageReport, Report } from '../model/report.ts';
import { isOpenIn, listRows } from '../model/rows.ts';
import { searchTree } from '../model/search.ts';
import { type FileTree, openTree } from '../model/tree.ts';
import { changeBits, isDirectoryAt, type LayerView, viewLayer } from '../model/view.ts';

export const tabs = ['files', 'map', 'space', 'history', 'config'] as const;

/** What the lower part of the screen shows. */
export type Tab = (typeof tabs)[number];

/** One image, or the differences of two. */
export interface Subject {
  readonly title: string;
  /** Undefined for the differences. */
  readonly image: ImageReport | undefined;
  readonly tree: FileTree;
  readonly layers: number;
}

/** Everything that the screen depends on, but its size. */
export interface ExploreState {
  readonly report: Report;
  readonly subjects: readonly Subject[];
  readonly subject: number;
  readonly tab: Tab;
  readonly layer: number;
  readonly view: LayerView;
  readonly rows: Int32Array;
  readonly cursor: number;
  /** First line in sight. */
  readonly top: number;
  /** Directories that are not as they are at first. */
  readonly toggled: ReadonlySet<number>;
  readonly query: string;
  readonly isTyping: boolean;
  /** Marks that are filtered for, as bits. */
  readonly only: number;
  readonly sort: 'name' | 'size';
  /** The directory whose content the map shows, and which of its boxes is chosen. */
  readonly mapTop: number;
  readonly mapCursor: number;
  readonly isHelp: boolean;
}

/** What is shown first: the differences when there are two images, else the last layer. */
export function firstState(report: Report): ExploreState {
  const { comparison, images } = report;
  const names = images.map(({ name }) => name);
  const subjects: Subject[] = [
    ...(comparison === undefined
      ? []
      : [{ title: names.join(' → '), image: undefined, tree: openTree(comparison.tree), layers: 2 }]),
    ...images.map((image) => ({
      title: image.name,
      image,
      tree: openTree(image.tree),
      layers: image.layers.length,
    })),
  ];
  return openSubject({ report, subjects }, 0);
}

/** Turns to another image, or to the differences. */
export function openSubject(
  { report, subjects }: Pick<ExploreState, 'report' | 'subjects'>,
  subject: number,
): ExploreState {
  const { image, tree, layers } = subjects[subject] as Subject;
  const layer = Math.max(0, layers - 1);
  return withRows({
    report,
    subjects,
    subject,
    tab: 'files',
    layer,
    view: viewLayer(tree, layer),
    rows: new Int32Array(),
    cursor: 0,
    top: 0,
    toggled: new Set(),
    query: '',
    isTyping: false,
    only: image === undefined ? changeBits : 0,
    sort: 'name',
    mapTop: 0,
    mapCursor: 0,
    isHelp: false,
  });
}

/** The directory that the map shows: the one that was chosen, or all where that is not in the layer. */
export function mapTop({ mapTop: node, view }: ExploreState): number {
  return isDirectoryAt(view, node) && (view.totals[node] ?? 0) > 0 ? node : 0;
}

/** Whether directories are open at first. */
export function isFiltered({ query, only }: Pick<ExploreState, 'query' | 'only'>): boolean {
  return query.trim() !== '' || only !== 0;
}

/** Whether what is in the directory is listed. */
export function isOpen(state: ExploreState, node: number): boolean {
  const { view, only, toggled, query } = state;
  return isOpenIn(view, node, { isSearching: query.trim() !== '', only, toggled });
}

/** Lists the rows anew and keeps the cursor on its file where that is still there. */
export function withRows(state: ExploreState): ExploreState {
  const { view, query, only, sort } = state;
  const rows = listRows(view, {
    isOpen: (node) => isOpen(state, node),
    only: only === 0 ? undefined : only,
    found: searchTree(view, query)?.found,
    sort,
  });
  const place = rows.indexOf(state.rows[state.cursor] ?? -1);
  const cursor = place < 0 ? Math.min(state.cursor, Math.max(0, rows.length - 1)) : place;
  return { ...state, rows, cursor };
}

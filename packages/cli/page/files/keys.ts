import type { LayerView } from '../../src/explore/model/view.ts';

/** The row that a key leads to; undefined when it leads nowhere. */
export function nextRow(
  key: string,
  {
    view,
    rows,
    place,
    page,
  }: {
    readonly view: LayerView;
    readonly rows: Int32Array;
    readonly place: number;
    /** How many rows are in sight. */
    readonly page: number;
  },
): number | undefined {
  const { depths } = view.tree.packed;
  const node = rows[place];
  if (key === 'ArrowLeft') {
    const parent = node === undefined ? 0 : (view.tree.parents[node] ?? 0);
    return parent > 0 ? parent : undefined;
  }
  if (key === 'ArrowRight') {
    const below = rows[place + 1];
    const isBelow = node !== undefined && below !== undefined && (depths[below] ?? 0) > (depths[node] ?? 0);
    return isBelow ? below : undefined;
  }
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: place + 1,
    ArrowUp: place - 1,
    PageDown: place + page,
    PageUp: place - page,
    Home: 0,
    End: rows.length - 1,
  };
  const next = steps[key];
  if (next === undefined || rows.length === 0) return undefined;
  return rows[Math.min(Math.max(next, 0), rows.length - 1)];
}

import { hasChildren } from '../model/rows.ts';
import { type Box, layoutMap } from './map-layout.ts';
import { type ExploreState, mapTop } from './state.ts';
import type { UpdateOptions } from './update.ts';

/** What a key does on the map; undefined when it does nothing there. */
export function moveInMap(
  state: ExploreState,
  key: string,
  { columns, height }: Pick<UpdateOptions, 'columns' | 'height'>,
): ExploreState | undefined {
  const top = mapTop(state);
  const boxes = layoutMap(state.view, top, { columns, lines: height });
  const cursor = Math.min(state.mapCursor, Math.max(0, boxes.length - 1));
  const box = boxes[cursor];
  const node = box?.node;
  switch (key) {
    case 'enter':
    case ' ':
      if (node === undefined || !hasChildren(state.view, node)) return state;
      return { ...state, mapTop: node, mapCursor: 0 };
    case 'escape':
    case 'backspace': {
      if (top === 0) return state;
      const parent = state.view.tree.parents[top] ?? 0;
      const above = layoutMap(state.view, parent, { columns, lines: height });
      const from = above.findIndex((each) => each.node === top);
      return { ...state, mapTop: parent, mapCursor: Math.max(0, from) };
    }
    case 'home':
      return { ...state, mapCursor: 0 };
    case 'end':
      return { ...state, mapCursor: Math.max(0, boxes.length - 1) };
    default: {
      const direction = directions[key];
      if (direction === undefined || box === undefined) return undefined;
      const next = neighbour(boxes, cursor, direction);
      return next === undefined ? state : { ...state, mapCursor: next };
    }
  }
}

const directions: Readonly<Record<string, readonly [x: number, y: number]>> = {
  left: [-1, 0],
  right: [1, 0],
  l: [1, 0],
  up: [0, -1],
  k: [0, -1],
  down: [0, 1],
  j: [0, 1],
};

/** The nearest box in a direction, those first that lie beside this one. */
function neighbour(
  boxes: readonly Box[],
  from: number,
  [x, y]: readonly [number, number],
): number | undefined {
  const own = boxes[from];
  if (own === undefined) return undefined;
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, box] of boxes.entries()) {
    const away = gapBetween(own, box, [x, y]);
    if (index === from || away < 0) continue;
    const aside =
      x === 0
        ? Math.abs(own.x + own.width / 2 - box.x - box.width / 2)
        : 2 * Math.abs(own.y + own.height / 2 - box.y - box.height / 2);
    const distance = away * 4 + aside;
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

/** Columns or lines between a box and one that lies in a direction from it; negative when it does not. */
function gapBetween(own: Box, other: Box, [x, y]: readonly [number, number]): number {
  if (x > 0) return other.x - own.x - own.width;
  if (x < 0) return own.x - other.x - other.width;
  return y > 0 ? other.y - own.y - own.height : own.y - other.y - other.height;
}

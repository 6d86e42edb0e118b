import { formatBytes } from '../../render/bytes.ts';
import { shownText } from '../model/names.ts';
import { isDirectoryAt, type LayerView } from '../model/view.ts';
import { fit } from './cells.ts';
import type { Screen } from './draw.ts';
import { markSigns } from './draw-files.ts';
import { type Box, layoutMap } from './map-layout.ts';
import { type ExploreState, mapTop } from './state.ts';

/** The lines of the map: a frame for each thing, its name and bytes inside; the chosen one is reversed and has a `>`. */
export function drawMap(
  state: ExploreState,
  { columns, paint, height }: Screen & { readonly height: number },
): readonly string[] {
  const { view } = state;
  const top = mapTop(state);
  const boxes = layoutMap(view, top, { columns, lines: height });
  if (boxes.length === 0) return [fit('  nothing in here has bytes', columns)];
  const chosen = Math.min(state.mapCursor, boxes.length - 1);
  const whole = view.totals[top] ?? 0;
  const drawn = boxes.map((box, index) => drawBox(view, box, { isChosen: index === chosen, whole }));
  return Array.from({ length: height }, (_, line) => {
    const inLine = boxes
      .map((box, index) => ({ box, index }))
      .filter(({ box }) => line >= box.y && line < box.y + box.height)
      .sort((a, b) => a.box.x - b.box.x);
    return inLine
      .map(({ box, index }) => {
        const text = drawn[index]?.[line - box.y] ?? '';
        return index === chosen ? paint.chosen(text) : text;
      })
      .join('');
  });
}

/** What a box is called. */
export function boxName(view: LayerView, { node, count }: Box): string {
  if (node === undefined) return `${count} more`;
  return `${shownText(view.tree.packed.names[node] ?? '')}${isDirectoryAt(view, node) ? '/' : ''}`;
}

function drawBox(
  view: LayerView,
  box: Box,
  { isChosen, whole }: { readonly isChosen: boolean; readonly whole: number },
): readonly string[] {
  const { node, bytes, width, height } = box;
  const sign = node === undefined ? '' : (markSigns[view.marks[node] ?? 0] ?? '');
  const name = `${isChosen ? '>' : ''}${sign === '' ? '' : `${sign} `}${boxName(view, box)}`;
  const size = formatBytes(bytes);
  const share = `${Math.round((bytes / whole) * 100)}%`;
  // Without room for a frame, a bar at the left keeps neighbours apart.
  if (height < 3 || width < 8) {
    const inner = Math.max(0, width - 1);
    const texts = height === 1 ? [`${name} ${size}`] : [name, size];
    return Array.from({ length: height }, (_, line) => `▏${fit(texts[line] ?? '', inner)}`);
  }
  const inner = width - 2;
  const amount = size.length + share.length + 2 <= inner ? `${size}  ${share}` : size;
  const texts = height === 3 ? [`${name} ${amount}`] : [name, amount];
  const body = Array.from({ length: height - 2 }, (_, line) => `│${fit(texts[line] ?? '', inner)}│`);
  return [`┌${'─'.repeat(inner)}┐`, ...body, `└${'─'.repeat(inner)}┘`];
}

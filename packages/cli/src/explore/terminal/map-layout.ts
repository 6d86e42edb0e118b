import { childrenOf } from '../model/tree.ts';
import { type LayerView, Mark } from '../model/view.ts';

/** One thing of a directory on the map, in columns and lines. */
export interface Box {
  /** Undefined for the many that are too small to be drawn. */
  readonly node: number | undefined;
  readonly bytes: number;
  /** How many things it stands for. */
  readonly count: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Columns and lines to draw on. */
export interface Area {
  readonly columns: number;
  readonly lines: number;
}

type Item = Pick<Box, 'node' | 'bytes' | 'count'>;
type Place = Pick<Box, 'x' | 'y' | 'width' | 'height'>;

/** Cells that the smallest box has: with fewer there is no room for a name. */
const smallestArea = 12;
/** A line is about as high as two columns are wide. */
const lineHeight = 2;

/** Divides an area among what is in a directory, in proportion to its bytes; the largest comes first. */
export function layoutMap(view: LayerView, top: number, { columns, lines }: Area): readonly Box[] {
  const items = itemsOf(view, top, columns * lines);
  const boxes: Box[] = [];
  if (items.length > 0 && columns > 0 && lines > 0)
    divide(items, { x: 0, y: 0, width: columns, height: lines }, boxes);
  return boxes;
}

function itemsOf({ tree, marks, totals }: LayerView, top: number, cells: number): readonly Item[] {
  const items: Item[] = childrenOf(tree, top)
    .filter((node) => marks[node] !== Mark.absent && marks[node] !== Mark.removed && (totals[node] ?? 0) > 0)
    .map((node) => ({ node, bytes: totals[node] ?? 0, count: 1 }))
    .sort((a, b) => b.bytes - a.bytes);
  const whole = sum(items);
  const large = items.filter(({ bytes }, index) => index === 0 || (bytes / whole) * cells >= smallestArea);
  const small = items.slice(large.length);
  if (small.length <= 1) return items;
  return [...large, { node: undefined, bytes: sum(small), count: small.length }];
}

/** Cuts the longer side in two, so that about half of the bytes are in each part, until each part is one thing. */
function divide(items: readonly Item[], place: Place, boxes: Box[]): void {
  const [only] = items;
  const { x, y, width, height } = place;
  const length = width >= height * lineHeight ? width : height;
  if (only === undefined) return;
  if (items.length === 1 || length < 2) {
    const count = items.reduce((all, item) => all + item.count, 0);
    const node = items.length === 1 ? only.node : undefined;
    boxes.push({ node, bytes: sum(items), count, ...place });
    return;
  }
  const whole = sum(items);
  let count = 0;
  let before = 0;
  // The first that leaves less than half, but not nothing.
  while (count < items.length - 1 && (count === 0 || before + (items[count]?.bytes ?? 0) <= whole / 2))
    before += items[count++]?.bytes ?? 0;
  const cut = Math.min(Math.max(Math.round((length * before) / whole), 1), length - 1);
  const isWide = length === width && width >= height * lineHeight;
  const [first, second] = isWide
    ? [
        { x, y, width: cut, height },
        { x: x + cut, y, width: width - cut, height },
      ]
    : [
        { x, y, width, height: cut },
        { x, y: y + cut, width, height: height - cut },
      ];
  divide(items.slice(0, count), first, boxes);
  divide(items.slice(count), second, boxes);
}

function sum(items: readonly Item[]): number {
  return items.reduce((bytes, item) => bytes + item.bytes, 0);
}

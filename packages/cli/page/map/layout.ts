import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { childrenOf, type FileTree } from '../../src/explore/model/tree.ts';
import { isDirectoryAt, type LayerView, Mark } from '../../src/explore/model/view.ts';

/** A rectangle of the map: a file, a directory with what is in it, or the many that are too small to be seen. */
export interface Tile {
  /** Undefined for what is too small. */
  readonly node: number | undefined;
  readonly parent: number;
  readonly bytes: number;
  /** How many things are too small, when it stands for these. */
  readonly count: number;
  /** A directory whose content is drawn inside. */
  readonly isFrame: boolean;
  /** What colours it, such as the layer that brought it, or most of it; -1 when unknown. */
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is drawn, and how large. */
export interface LayoutOptions {
  readonly top: number;
  /** Bytes of each node and what is below it. */
  readonly totals: Float64Array;
  /** What colours a file. */
  readonly kindOf: (node: number) => number;
  readonly width: number;
  readonly height: number;
}

interface Datum {
  readonly node: number | undefined;
  readonly parent: number;
  readonly bytes: number;
  readonly count: number;
  readonly children?: readonly Datum[];
}

/** Pixels that the smallest tile covers: with less nobody can point at it. */
const smallestArea = 320;
const frameHead = 18;
/** With less room nothing is drawn inside a directory. */
const frameWidth = 30;
const frameHeight = 40;
const deepest = 9;

/** Divides an area among the files below a directory, in proportion to their bytes. */
export function layoutMap(view: LayerView, options: LayoutOptions): readonly Tile[] {
  const { top, totals, width, height } = options;
  const whole = totals[top] ?? 0;
  if (whole === 0 || width <= 0 || height <= 0) return [];
  const smallest = (whole * smallestArea) / (width * height);
  const data = describe(view, { node: top, totals, smallest, depth: 0 });
  const root = hierarchy(data, ({ children }) => children as Datum[] | undefined)
    .sum(({ children, bytes }) => (children === undefined ? bytes : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const laid = treemap<Datum>()
    .tile(treemapSquarify.ratio(1.2))
    .size([width, height])
    .round(true)
    .paddingInner(2)
    .paddingOuter((at) => (at.depth === 0 ? 0 : 3))
    .paddingTop((at) => (at.depth === 0 ? 0 : frameHead))(root);
  const tiles: Tile[] = [];
  const pending = (laid.children ?? []).toReversed();
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const { data, x0, x1, y0, y1 } = at;
    const [tileWidth, tileHeight] = [x1 - x0, y1 - y0];
    if (tileWidth < 2 || tileHeight < 2) continue;
    const isFrame = at.children !== undefined && tileWidth >= frameWidth && tileHeight >= frameHeight;
    const { node, parent, bytes, count } = data;
    tiles.push({
      node,
      parent,
      bytes,
      count,
      isFrame,
      kind: node === undefined ? -1 : mainKind(view, node, options),
      x: x0,
      y: y0,
      width: tileWidth,
      height: tileHeight,
    });
    if (isFrame) pending.push(...(at.children ?? []).toReversed());
  }
  return tiles;
}

function describe(
  view: LayerView,
  {
    node,
    totals,
    smallest,
    depth,
  }: {
    readonly node: number;
    readonly totals: Float64Array;
    readonly smallest: number;
    readonly depth: number;
  },
): Datum {
  const { tree } = view;
  const bytes = totals[node] ?? 0;
  const leaf = { node, parent: tree.parents[node] ?? 0, bytes, count: 1 };
  if (depth >= deepest || (depth > 0 && bytes < smallest * 12) || !isDirectoryAt(view, node)) return leaf;
  const children: Datum[] = [];
  let rest = 0;
  let count = 0;
  for (const child of childrenOf(tree, node)) {
    const size = totals[child] ?? 0;
    if (size === 0 || view.marks[child] === Mark.absent) continue;
    if (size >= smallest) children.push(describe(view, { node: child, totals, smallest, depth: depth + 1 }));
    else {
      rest += size;
      count += 1;
    }
  }
  if (children.length === 0) return leaf;
  if (rest > 0) children.push({ node: undefined, parent: node, bytes: rest, count });
  return { ...leaf, children };
}

/** The kind that most bytes below a node have. */
function mainKind(
  view: LayerView,
  node: number,
  { totals, kindOf }: Pick<LayoutOptions, 'totals' | 'kindOf'>,
): number {
  const { tree } = view;
  if (!isDirectoryAt(view, node)) return kindOf(node);
  const bytes = new Map<number, number>();
  for (let at = node; at < (tree.ends[node] ?? 0); at++) {
    if (isDirectoryAt(view, at) || (totals[at] ?? 0) === 0) continue;
    const kind = kindOf(at);
    bytes.set(kind, (bytes.get(kind) ?? 0) + (totals[at] ?? 0));
  }
  const most = Math.max(0, ...bytes.values());
  for (const [kind, count] of bytes) if (count === most) return kind;
  return -1;
}

/** Bytes below each node of what the layer itself holds, or, for differences, of what has one of the marks. */
export function totalsOfMarks(view: LayerView, wanted: number): Float64Array {
  const { tree, marks, versions } = view;
  const totals = new Float64Array(tree.length);
  const counted = new Set<number>();
  for (let node = 0; node < tree.length; node++) {
    const version = versions[node] ?? -1;
    if (version < 0 || (wanted & (1 << (marks[node] ?? 0))) === 0) continue;
    const group = tree.groups[version] ?? 0;
    if (group > 0 && counted.has(group)) continue;
    counted.add(group);
    totals[node] = tree.packed.sizes[version] ?? 0;
  }
  return sumUp(tree, totals);
}

function sumUp(tree: FileTree, totals: Float64Array): Float64Array {
  for (let node = tree.length - 1; node > 0; node--) {
    const parent = tree.parents[node] ?? 0;
    totals[parent] = (totals[parent] ?? 0) + (totals[node] ?? 0);
  }
  return totals;
}

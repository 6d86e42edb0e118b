import { childrenOf } from './tree.ts';
import { isDirectoryAt, type LayerView, Mark } from './view.ts';

/** Which nodes are listed, and how. */
export interface RowOptions {
  /** Whether what is in a directory is listed. */
  readonly isOpen: (node: number) => boolean;
  /** Marks, as bits, of which one must be on the node or below it; everything that is there when undefined. */
  readonly only?: number | undefined;
  /** 1 for nodes that are listed with all directories above them; everything when undefined. */
  readonly found?: Uint8Array | undefined;
  readonly sort: 'name' | 'size';
  /** What the size of a node is for sorting; default: its bytes. */
  readonly sizes?: Float64Array | undefined;
}

/** The nodes in the order in which they are listed, without the root. */
export function listRows(
  view: LayerView,
  { isOpen, only, found, sort, sizes = view.totals }: RowOptions,
): Int32Array {
  const { tree, marks, below } = view;
  const kept = found === undefined ? undefined : withParents(view, found, only);
  const rows: number[] = [];
  const isListed = (node: number): boolean =>
    marks[node] !== Mark.absent &&
    (kept === undefined ? only === undefined || ((below[node] ?? 0) & only) !== 0 : kept[node] === 1);
  const pending: number[] = [];
  const open = (node: number): void => {
    const children = childrenOf(tree, node).filter(isListed);
    if (sort === 'size') children.sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
    for (let index = children.length - 1; index >= 0; index--) pending.push(children[index] ?? 0);
  };
  open(0);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    rows.push(node);
    if (hasChildren(view, node) && isOpen(node)) open(node);
  }
  return Int32Array.from(rows);
}

/** Whether something can be listed below the node. */
export function hasChildren(view: LayerView, node: number): boolean {
  const { tree } = view;
  return isDirectoryAt(view, node) ? (tree.ends[node] ?? 0) > node + 1 : holdsRemoved(view, node);
}

/** A directory that became a file still shows what was in it. */
function holdsRemoved({ below, marks }: LayerView, node: number): boolean {
  return marks[node] === Mark.changed && ((below[node] ?? 0) & (1 << Mark.removed)) !== 0;
}

function withParents(view: LayerView, found: Uint8Array, only: number | undefined): Uint8Array {
  const { tree, marks } = view;
  const kept = new Uint8Array(tree.length);
  for (let node = tree.length - 1; node > 0; node--) {
    const isWanted = only === undefined || (only & (1 << (marks[node] ?? 0))) !== 0;
    if (found[node] === 1 && isWanted) kept[node] = 1;
    if (kept[node] === 1) kept[tree.parents[node] ?? 0] = 1;
  }
  return kept;
}

/** How the tree is filtered. */
export interface FilterState {
  readonly isSearching: boolean;
  /** Marks that are filtered for, as bits. */
  readonly only: number;
  /** Directories that somebody turned. */
  readonly toggled: ReadonlySet<number>;
}

/**
 * Whether a directory is open: closed at first, and open while something is looked for or filtered, but for directories
 * that came or went as a whole.
 */
export function isOpenIn(
  { marks }: LayerView,
  node: number,
  { isSearching, only, toggled }: FilterState,
): boolean {
  const isWhole = marks[node] === Mark.added || marks[node] === Mark.removed;
  return (isSearching || (only !== 0 && !isWhole)) !== toggled.has(node);
}

import { shownText } from './names.ts';
import type { FileTree } from './tree.ts';
import { type LayerView, Mark } from './view.ts';

/** Which nodes a search found. */
export interface SearchResult {
  /** 1 for each node that was found. */
  readonly found: Uint8Array;
  readonly count: number;
}

/**
 * Finds names that hold the words, in letters of either case; with a slash in the query, paths. `*` stands for
 * any characters, and then the whole name must match. Undefined when there is nothing to look for.
 */
export function searchTree(view: LayerView, query: string): SearchResult | undefined {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return undefined;
  const isPath = wanted.includes('/');
  const matches = matcher(wanted, isPath);
  const { tree, marks } = view;
  const found = new Uint8Array(tree.length);
  const paths: string[] = [''];
  let count = 0;
  for (let node = 1; node < tree.length; node++) {
    if (marks[node] === Mark.absent) continue;
    const name = lowerName(tree, node);
    let text = name;
    if (isPath) {
      const depth = tree.packed.depths[node] ?? 1;
      text = `${paths[depth - 1]}/${name}`;
      paths[depth] = text;
    }
    if (!matches(text)) continue;
    found[node] = 1;
    count += 1;
  }
  return { found, count };
}

const lowerNames = new WeakMap<FileTree, string[]>();

/** Names as they are shown, in small letters: what a person sees is what can be found. */
function lowerName(tree: FileTree, node: number): string {
  let names = lowerNames.get(tree);
  if (names === undefined) {
    names = tree.packed.names.map((name) => shownText(name).toLowerCase());
    lowerNames.set(tree, names);
  }
  return names[node] ?? '';
}

function matcher(wanted: string, isPath: boolean): (text: string) => boolean {
  if (!wanted.includes('*')) return (text) => text.includes(wanted);
  const parts = wanted.split('*');
  const [first = '', last = ''] = [parts.at(0), parts.at(-1)];
  const middle = parts.slice(1, -1);
  return (text) => {
    // Of a path any directory may come first.
    if (!(isPath && !first.startsWith('/') ? text.includes(first) : text.startsWith(first))) return false;
    let from = isPath ? text.indexOf(first) + first.length : first.length;
    for (const part of middle) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return text.length - last.length >= from && text.endsWith(last);
  };
}

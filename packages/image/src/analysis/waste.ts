import type { Inode } from '../contents/tree.ts';
import { type HistoryNode, historyPath, walkHistory } from './file-history.ts';
import { storedSize } from './stored-size.ts';
import type { WastedFile } from './types.ts';

/** Bytes of layers that nobody sees. */
export interface Waste {
  /** The most bytes first. */
  readonly wasted: readonly WastedFile[];
  /** Bytes by layer, from 0. */
  readonly ofLayers: ReadonlyMap<number, number>;
}

/** Finds the files that a later layer replaces or removes; those with hard links that stay are no waste. */
export function findWaste(history: HistoryNode, visible: ReadonlySet<Inode>): Waste {
  const counted = new Set<Inode>();
  const ofLayers = new Map<number, number>();
  const wasted: WastedFile[] = [];
  for (const node of walkHistory(history)) {
    const hidden = node.versions.flatMap(({ kind, inode }) => {
      const isHidden = kind !== 'removed' && !visible.has(inode) && !counted.has(inode);
      return isHidden && storedSize(inode.header) > 0 ? [inode] : [];
    });
    if (hidden.length === 0) continue;
    let bytes = 0;
    for (const inode of hidden) {
      const size = storedSize(inode.header);
      counted.add(inode);
      bytes += size;
      ofLayers.set(inode.layer, (ofLayers.get(inode.layer) ?? 0) + size);
    }
    wasted.push({
      path: historyPath(node),
      bytes,
      layers: hidden.map(({ layer }) => layer),
      fate: node.versions.at(-1)?.kind === 'removed' ? 'removed' : 'replaced',
    });
  }
  // The sort is stable: names of equal waste stay in the order of the tree.
  return { wasted: wasted.sort((a, b) => b.bytes - a.bytes), ofLayers };
}
